"""Which steps there are, and what starts them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class FlowManifest(models.Model):
    """One flow as it was last synced. A disabled or deleted one starts nothing; its runs and its history stay."""

    name = models.CharField(max_length=200, unique=True)
    version = models.FloatField(help_text="The author's own number; it may be any, and may go down.")
    revision = models.IntegerField(default=1, help_text="Ours: how often its content has changed.")
    description = models.TextField(blank=True)
    root = models.TextField(blank=True, help_text="Where the worker that synced it found it.")
    config = models.JSONField(null=True, blank=True)
    steps = models.JSONField()
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of its content.")
    synced_at = models.DateTimeField(db_default=Now())
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    disabled_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "flow_manifests"
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        """Whether events can start its steps."""
        return self.disabled_at is None and self.deleted_at is None


class FlowManifestVersion(models.Model):
    """What a manifest said from one sync until its next change."""

    manifest = models.ForeignKey(FlowManifest, on_delete=models.CASCADE, related_name="versions", db_index=False)
    revision = models.IntegerField()
    version = models.FloatField()
    content = models.JSONField()
    synced_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flow_manifest_versions"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["manifest", "revision"], name="flow_manifest_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id} revision {self.revision}"


class FlowTrigger(models.Model):
    """One step that starts on one type of event: what a dispatch looks up instead of reading every manifest."""

    manifest = models.ForeignKey(FlowManifest, on_delete=models.CASCADE, related_name="triggers", db_index=False)
    position = models.IntegerField(help_text="Of the step in its manifest, from 0.")
    type = models.CharField(max_length=300)
    schema = models.JSONField(null=True, blank=True, help_text="JSON Schema, draft 2020-12, of the event's payload.")

    class Meta:
        db_table = "flow_triggers"
        ordering = ["manifest", "position"]
        constraints = [
            models.UniqueConstraint(fields=["manifest", "position"], name="flow_trigger_once"),
            models.CheckConstraint(condition=Q(position__gte=0), name="flow_trigger_position"),
        ]
        indexes = [
            # A dispatch: who listens to this type, in the order in which the flows were first synced.
            models.Index(fields=["type", "manifest", "position"], name="flow_trigger_type"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id}[{self.position}] on {self.type}"
