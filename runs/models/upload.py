"""Files that callers sent, to be named in the inputs of runs."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Upload(models.Model):
    """One picture, clip or sound. Its bytes are those of its `sha256`; only whoever sent it may name it.

    It ends at `expires_at` unless a run was begun with it before: then `used_at` is set, and it stays.
    """

    upload_id = models.CharField(max_length=40, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    session = models.CharField(max_length=160, blank=True, help_text="Of a caller whom we do not know.")
    storage_key = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    content_type = models.CharField(max_length=80)
    size_bytes = models.BigIntegerField()
    width = models.IntegerField(null=True, blank=True)
    height = models.IntegerField(null=True, blank=True)
    duration_s = models.DecimalField(max_digits=12, decimal_places=3, null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True, help_text="From then on its file may be gone.")

    class Meta:
        db_table = "uploads"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["mp4", "png", "wav"]), name="upload_kind_known"),
            models.CheckConstraint(condition=Q(used_at=None) | Q(discarded_at=None), name="upload_used_is_kept"),
        ]
        indexes = [
            # The same file sent again by the same caller; and what they have that no run uses.
            models.Index(fields=["owner", "session", "sha256"], name="upload_sender"),
            # What is to be thrown away.
            models.Index(fields=["expires_at"], name="upload_unused", condition=Q(used_at=None)),
        ]

    def __str__(self) -> str:
        return self.upload_id

    @property
    def reference(self) -> str:
        """As it stands in the inputs of a run."""
        return f"input:{self.storage_key}|{self.content_type}"
