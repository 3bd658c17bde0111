"""The catalogue's tables: one row a slug, and beside it every version that was ever published."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Zap(models.Model):
    """The head of one recipe.

    `source` and `prompts` are the newest text, draft or published. Everything else describes the newest published
    version, and the draft only while nothing was published: a draft over a published recipe shows nothing of itself.
    """

    slug = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=12, help_text="draft: the text differs from the newest published version.")
    version = models.IntegerField(default=0, help_text="The newest published version; 0 when there is none.")
    visibility = models.CharField(max_length=12, default="private")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="zaps",
        help_text="Empty: it came with the installation.",
    )

    source = models.TextField(help_text="Zap.md as it was sent.")
    prompts = models.JSONField(default=dict, blank=True, help_text="Prompt files, by path.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of source and prompts.")

    title = models.CharField(max_length=200, blank=True)
    description = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    estimate_usd = models.DecimalField(max_digits=12, decimal_places=6)
    summary = models.JSONField(default=dict, blank=True, help_text="Inputs, providers and cap, as lists show them.")
    search_text = models.TextField(blank=True, help_text="What a search looks at, in lower case.")
    hero_asset_url = models.CharField(max_length=300, blank=True)
    compiled_from_run_id = models.CharField(max_length=40, blank=True)

    finalized_at = models.DateTimeField(null=True, blank=True)
    finalized_by = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "zaps"
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=["draft", "published"]), name="zap_status_known"),
            models.CheckConstraint(
                condition=Q(visibility__in=["private", "public", "unlisted"]), name="zap_visibility_known"
            ),
            models.CheckConstraint(
                condition=~Q(status="published") | Q(version__gte=1), name="zap_published_has_version"
            ),
        ]
        indexes = [
            # An author's recipes; an author's drafts; the public list, in slug order. By slug: the unique constraint.
            models.Index(fields=["author", "slug"], name="zap_author"),
            models.Index(fields=["author", "status"], name="zap_author_status"),
            models.Index(fields=["status", "slug"], name="zap_status"),
            # Operators' list, newest first.
            models.Index(fields=["visibility", "-id"], name="zap_visibility"),
        ]

    def __str__(self) -> str:
        return self.slug


class ZapVersion(models.Model):
    """One published text of a recipe. It never changes: a trigger refuses every UPDATE."""

    zap = models.ForeignKey(Zap, on_delete=models.CASCADE, related_name="versions")
    version = models.IntegerField(help_text="1 for the first.")
    source = models.TextField()
    prompts = models.JSONField(default=dict, blank=True)
    content_hash = models.CharField(max_length=64)
    estimate_usd = models.DecimalField(max_digits=12, decimal_places=6)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "zap_versions"
        indexes = [models.Index(fields=["content_hash"], name="zap_version_text")]  # operators' search
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["zap", "version"], name="zap_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="zap_version_from_one"),
        ]

    def __str__(self) -> str:
        return f"{self.zap_id}@{self.version}"
