"""Read tokens: one opens one run, for a while, to whoever was given it."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from runs.models.run import Run


class RunShare(models.Model):
    """Somebody's leave to look at a run. Only the digest of its token is kept."""

    share_id = models.CharField(max_length=40, unique=True, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="shares")
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the whole token.")
    shared_by = models.CharField(max_length=160, help_text="Who made it, as the API names them.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "run_shares"
        ordering = ["-pk"]
        verbose_name = "read token"
        indexes = [models.Index(fields=["shared_by", "-id"], name="run_share_by")]  # operators' search
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("created_at")), name="run_share_lasts"),
        ]

    def __str__(self) -> str:
        return self.share_id

    def is_live(self, *, at: datetime) -> bool:
        """Whether it opens its run at that moment."""
        return self.revoked_at is None and at < self.expires_at
