"""The operators' door to the catalogue. Publishing goes through the interface, which checks; here one reads."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, json_block, list_link, money, row_link, text_block, word_filter
from zaps.models import Zap, ZapVersion

if TYPE_CHECKING:
    _Inline = admin.TabularInline[ZapVersion, Zap]
else:
    _Inline = admin.TabularInline


class VersionInline(_Inline):
    """Every text that was ever published under the slug, newest first."""

    model = ZapVersion
    fields = ("number", "author", "estimate", "content_hash", "created_at")
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[ZapVersion]:
        """Without the texts: each has a page of its own."""
        return super().get_queryset(request).select_related("author").defer("source", "prompts")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Publishing adds one."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A version never changes."""
        return False

    @admin.display(description="version")
    def number(self, version: ZapVersion) -> SafeString | str:
        """A link to its text."""
        return row_link(version, str(version.version))

    @admin.display(description="estimate")
    def estimate(self, version: ZapVersion) -> str:
        """In dollars."""
        return money(version.estimate_usd)


class RecipeText(KeysetLedger):
    """What a recipe and a version of it have in common on their pages."""

    @admin.display(description="Zap.md")
    def text(self, row: Any) -> SafeString | str:
        """The recipe."""
        return text_block(row.source)

    @admin.display(description="prompt files")
    def prompt_files(self, row: Any) -> SafeString | str:
        """Each with its path above it."""
        return text_block("\n\n".join(f"── {path}\n{text}" for path, text in sorted(row.prompts.items())))

    @admin.display(description="estimate", ordering="estimate_usd")
    def estimate(self, row: Any) -> str:
        """In dollars."""
        return money(row.estimate_usd)


@admin.register(Zap)
class ZapAdmin(RecipeText):
    """One row a slug."""

    list_display = ("slug", "title", "state", "version", "visibility", "author", "cost", "its_runs", "updated_at")
    list_filter = (
        word_filter("status", "status", ("draft", "published")),
        word_filter("visibility", "visibility", ("public", "unlisted", "private")),
    )
    list_select_related = ("author",)
    list_defer = ("source", "prompts", "search_text")
    search_help_text = "Author, in full, or the beginning of a slug"
    readonly_fields = ("state", "labels", "cost", "its_runs", "text", "prompt_files", "in_lists")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("slug", "state"),
                    "title",
                    "description",
                    "labels",
                    ("version", "visibility", "author"),
                    ("cost", "its_runs"),
                )
            },
        ),
        ("Text", {"fields": ("text", "prompt_files")}),
        (
            "Details",
            {
                "classes": ("collapse",),
                "fields": (
                    "in_lists",
                    "content_hash",
                    "hero_asset_url",
                    "compiled_from_run_id",
                    "finalized_at",
                    "finalized_by",
                    "created_at",
                    "updated_at",
                ),
            },
        ),
    )
    inlines = (VersionInline,)

    def find(self, term: str) -> Q:
        """By author, else by slug."""
        author = User.objects.filter(username=term).values_list("pk", flat=True).first()
        return Q(slug__startswith=term) if author is None else Q(author=author)

    @admin.display(description="status", ordering="status")
    def state(self, zap: Zap) -> SafeString | str:
        """Whether its newest text is published."""
        return badge(zap.status)

    @admin.display(description="tags")
    def labels(self, zap: Zap) -> str:
        """What it is found by."""
        return ", ".join(zap.tags) or EMPTY

    @admin.display(description="estimate · cap")
    def cost(self, zap: Zap) -> str:
        """What it is expected to cost, and may."""
        cap = zap.summary.get("capUsd")
        return f"{money(zap.estimate_usd)} · {money(Decimal(str(cap))) if cap is not None else EMPTY}"

    @admin.display(description="runs")
    def its_runs(self, zap: Zap) -> SafeString:
        """The films that were made from it."""
        return list_link("runs_run", "runs", zap_slug=zap.slug)

    @admin.display(description="as lists show it")
    def in_lists(self, zap: Zap) -> SafeString | str:
        """Inputs, providers and cap."""
        return json_block(zap.summary)


@admin.register(ZapVersion)
class ZapVersionAdmin(RecipeText):
    """One published text."""

    list_display = ("recipe", "version", "author", "estimate", "created_at")
    list_display_links = ("version",)
    list_select_related = ("zap", "author")
    list_defer = ("source", "prompts", "zap__source", "zap__prompts", "zap__search_text")
    search_help_text = "Slug or content hash, in full"
    fields = ("recipe", "version", "author", "estimate", "content_hash", "created_at", "text", "prompt_files")
    readonly_fields = ("recipe", "estimate", "text", "prompt_files")

    def find(self, term: str) -> Q:
        """By slug, else by text."""
        zap = Zap.objects.filter(slug=term).values_list("pk", flat=True).first()
        return Q(content_hash=term) if zap is None else Q(zap=zap)

    @admin.display(description="recipe", ordering="zap__slug")
    def recipe(self, version: ZapVersion) -> SafeString | str:
        """Whose version it is."""
        return row_link(version.zap)
