"""Files that callers send to the bucket themselves, until they are looked at."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from runs.models.upload import Upload


class DirectUpload(models.Model):
    """A file that is expected in the bucket, under a key that nothing else reads. It waits until it is ended.

    An Upload comes of it when it is found good: then `upload` names that. The row outlives the form that was signed
    for it, so that whatever that form lets in is thrown away at last.
    """

    direct_id = models.CharField(max_length=40, unique=True, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True)
    session = models.CharField(max_length=160, blank=True, help_text="Of a caller whom we do not know.")
    size_bytes = models.BigIntegerField(help_text="As it was announced; the bucket takes no other.")
    upload = models.ForeignKey(Upload, on_delete=models.SET_NULL, null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="Until then somebody looks at it.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "direct_uploads"
        ordering = ["pk"]
        indexes = [
            # What a caller has announced and not completed.
            models.Index(fields=["owner"], name="direct_upload_waiting", condition=models.Q(ended_at=None)),
            # What is to be thrown away.
            models.Index(fields=["expires_at"], name="direct_upload_expiry"),
        ]

    def __str__(self) -> str:
        return self.direct_id

    @property
    def storage_key(self) -> str:
        """Where it arrives."""
        return f"quarantine/{self.direct_id}"
