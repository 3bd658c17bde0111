"""What a run made, and what people and judges said of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from runs.models.attempt import Attempt
from runs.models.run import Run
from runs.models.step import Step


class Asset(models.Model):
    """One stored file. `kind` is its media class; `content_type` its true type."""

    asset_id = models.CharField(max_length=40, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="assets", db_index=False)  # asset_step
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="assets")
    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="assets", db_index=False)  # asset_once
    index = models.IntegerField(help_text="Place among the outputs of its attempt, from 0.")
    kind = models.CharField(max_length=8)
    content_type = models.CharField(max_length=80)
    storage_key = models.CharField(
        max_length=300, help_text="A result that was taken over shares its file with the original."
    )
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    width = models.IntegerField(null=True, blank=True)
    height = models.IntegerField(null=True, blank=True)
    duration_s = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    parents = ArrayField(
        models.CharField(max_length=40), default=list, blank=True, help_text="Asset ids it was made from."
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "assets"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "index"], name="asset_once"),
            models.UniqueConstraint(fields=["asset_id"], name="asset_id_once"),
            models.CheckConstraint(condition=Q(kind__in=["json", "mp4", "png", "wav"]), name="asset_kind_known"),
        ]
        indexes = [
            models.Index(fields=["run", "step"], name="asset_step"),
            # Where the same bytes are.
            models.Index(fields=["sha256"], name="asset_sha256"),
            # Lists of one kind, newest first.
            models.Index(fields=["kind", "-id"], name="asset_kind"),
        ]

    def __str__(self) -> str:
        return self.asset_id

    @property
    def url(self) -> str:
        """The stable address of its bytes; never a storage address."""
        return f"/api/assets/{self.asset_id}/content"


class Feedback(models.Model):
    """A vote or a score on a run, a step or an asset."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="feedback")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, blank=True, related_name="feedback")
    asset = models.ForeignKey(Asset, on_delete=models.CASCADE, null=True, blank=True, related_name="feedback")
    kind = models.CharField(max_length=16)
    rater = models.CharField(max_length=16)
    scores = models.JSONField(default=dict, blank=True)
    comment = models.TextField(blank=True)
    principal_id = models.CharField(max_length=80, blank=True, help_text="Who said it, as the API names them.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "feedback"
        verbose_name_plural = "feedback"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["aura_score", "judge_score", "rlhf_vote"]), name="feedback_kind_known"
            ),
            models.CheckConstraint(condition=Q(rater__in=["heuristic", "human", "vlm"]), name="feedback_rater_known"),
        ]
        indexes = [
            # The operators' list.
            models.Index(fields=["kind", "-id", "rater"], name="feedback_kind"),
            models.Index(fields=["rater", "-id"], name="feedback_rater"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.rater}"
