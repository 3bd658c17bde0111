"""What runs made, what was said of it, and what happened on the way."""

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, json_block, list_link, moment, row_link, size, word_filter
from runs.admin.steps import of_run
from runs.models import Asset, Feedback, RunEvent
from runs.thumbnails import thumbnail_of

MACHINES = ("drain", "webhook", "worker")  # who makes most things happen: nobody searches for them
_SHA256 = 64
_RUN_TEXTS = ("run__source", "run__prompts", "run__inputs")


@admin.register(Asset)
class AssetAdmin(KeysetLedger):
    """Every stored file, newest first."""

    list_display = ("small", "asset_id", "its_run", "its_step", "kind", "content_type", "shape", "weight", "created_at")
    list_display_links = ("asset_id",)
    list_filter = (word_filter("kind", "kind", ("png", "mp4", "wav", "json")),)
    list_select_related = ("run", "step")
    list_defer = (*_RUN_TEXTS, "step__spec")
    search_help_text = "Asset id, run id, run id and step id, or SHA-256, in full"
    fields = (
        "player",
        ("asset_id", "its_run", "its_step"),
        ("kind", "content_type", "shape", "weight"),
        "made_from",
        ("storage_key", "sha256"),
        "created_at",
    )
    readonly_fields = ("player", "its_run", "its_step", "shape", "weight", "made_from")

    def find(self, term: str) -> Q:
        """By its own id, its bytes, or what made it."""
        if len(term) == _SHA256 and not set(term) - set("0123456789abcdef"):
            return Q(sha256=term)
        found = of_run(term)
        return found if found is not None else Q(asset_id=term)

    @admin.display(description="")
    def small(self, asset: Asset) -> SafeString | str:
        """A small picture of it."""
        if asset.kind not in {"png", "mp4"}:
            return EMPTY
        return format_html('<img class="zap-small" loading="lazy" alt="" src="{}">', thumbnail_url(asset))

    @admin.display(description="")
    def player(self, asset: Asset) -> SafeString | str:
        """The thing itself."""
        return play(asset)

    @admin.display(description="run", ordering="run__pk")
    def its_run(self, asset: Asset) -> SafeString | str:
        """The run that made it."""
        return row_link(asset.run)

    @admin.display(description="step")
    def its_step(self, asset: Asset) -> SafeString | str:
        """The step that made it."""
        return row_link(asset.step, asset.step.step_id)

    @admin.display(description="shape")
    def shape(self, asset: Asset) -> str:
        """Its sides and its length."""
        return shape_of(asset)

    @admin.display(description="size", ordering="size_bytes")
    def weight(self, asset: Asset) -> str:
        """In bytes, rounded."""
        return size(asset.size_bytes)

    @admin.display(description="made from")
    def made_from(self, asset: Asset) -> SafeString | str:
        """The assets that went into it."""
        return (
            list_link("runs_asset", f"{len(asset.parents)} assets", asset_id__in=",".join(asset.parents))
            if asset.parents
            else EMPTY
        )

    def get_urls(self) -> list[URLPattern]:
        """Its own, and the small pictures."""
        small = path(
            "<int:pk>/thumbnail/",
            self.admin_site.admin_view(self.thumbnail, cacheable=True),
            name="runs_asset_thumbnail",
        )
        return [small, *super().get_urls()]

    def thumbnail(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A small JPEG; 404 where there is nothing to see."""
        if not self.has_view_permission(request):
            return HttpResponse(status=403)
        return thumbnail_of(Asset.objects.filter(pk=pk).first())


@admin.register(Feedback)
class FeedbackAdmin(KeysetLedger):
    """What people and judges said, newest first."""

    list_display = ("kind", "rater", "its_run", "its_step", "its_asset", "comment", "created_at")
    list_filter = (
        word_filter("kind", "kind", ("aura_score", "judge_score", "rlhf_vote")),
        word_filter("rater", "rater", ("heuristic", "human", "vlm")),
    )
    list_select_related = ("run", "step", "asset")
    list_defer = (*_RUN_TEXTS, "step__spec")
    search_help_text = "Run id, run id and step id, or asset id, in full"
    fields = (("kind", "rater"), ("its_run", "its_step", "its_asset"), "given", "comment", "created_at")
    readonly_fields = ("its_run", "its_step", "its_asset", "given")

    def find(self, term: str) -> Q:
        """By what was judged."""
        found = of_run(term)
        return found if found is not None else Q(asset__in=list(Asset.objects.filter(asset_id=term)))

    @admin.display(description="run")
    def its_run(self, vote: Feedback) -> SafeString | str:
        """What was judged."""
        return row_link(vote.run)

    @admin.display(description="step")
    def its_step(self, vote: Feedback) -> SafeString | str:
        """Of that, which step."""
        return row_link(vote.step, vote.step.step_id) if vote.step else EMPTY

    @admin.display(description="asset")
    def its_asset(self, vote: Feedback) -> SafeString | str:
        """Of that, which file."""
        return row_link(vote.asset)

    @admin.display(description="scores")
    def given(self, vote: Feedback) -> SafeString | str:
        """By criterion."""
        return json_block(vote.scores)


@admin.register(RunEvent)
class RunEventAdmin(KeysetLedger):
    """The audit trail of every run, newest first."""

    list_display = ("happened", "its_run", "seq", "type", "subject", "actor", "reason")
    list_select_related = ("run",)
    list_defer = _RUN_TEXTS
    search_help_text = "Run id, or who it was (user:7), in full"
    fields = (("its_run", "seq"), ("type", "subject"), ("actor", "reason"), "happened")
    readonly_fields = ("its_run", "happened")

    def find(self, term: str) -> Q:
        """By the run, or by whoever made it happen."""
        found = of_run(term)
        return found if found is not None else Q(actor=term) & ~Q(actor__in=MACHINES)

    @admin.display(description="run")
    def its_run(self, event: RunEvent) -> SafeString | str:
        """Whose event it is."""
        return row_link(event.run)

    @admin.display(description="happened", ordering="happened_at")
    def happened(self, event: RunEvent) -> str:
        """To the second."""
        return moment(event.happened_at)


def thumbnail_url(asset: Asset) -> str:
    """Where its small picture is."""
    return reverse("admin:runs_asset_thumbnail", args=[asset.pk])


def shape_of(asset: Asset) -> str:
    """`1280 × 720 · 5 s`, as far as it has a shape."""  # noqa: RUF002
    sides = f"{asset.width} × {asset.height}" if asset.width and asset.height else ""  # noqa: RUF001
    length = f"{asset.duration_s.normalize():f} s" if asset.duration_s else ""
    return " · ".join(part for part in (sides, length) if part) or EMPTY


def play(asset: Asset) -> SafeString | str:
    """An element that shows or plays it."""
    if asset.kind == "png":
        return format_html(
            '<a href="{0}"><img class="zap-media" loading="lazy" alt="{1}" src="{0}"></a>', asset.url, asset.asset_id
        )
    if asset.kind == "mp4":
        return format_html(
            '<video class="zap-media" controls playsinline preload="none" poster="{}" src="{}"></video>',
            thumbnail_url(asset),
            asset.url,
        )
    if asset.kind == "wav":
        return format_html('<audio class="zap-sound" controls preload="none" src="{}"></audio>', asset.url)
    return format_html('<a href="{}">{}</a>', asset.url, asset.content_type)
