"""Who is calling, and what they have already asked for once."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ApiToken(models.Model):
    """A key that a program shows instead of a password. Only its digest is kept."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, help_text="What its owner calls it.")
    prefix = models.CharField(
        max_length=16, unique=True, help_text="The first characters, to tell tokens apart in lists and logs."
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole token.")
    scopes = ArrayField(models.CharField(max_length=16), help_text="read, run, live, publish.")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_tokens"
        ordering = ["-pk"]
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(
                condition=Q(scopes__contained_by=["live", "publish", "read", "run"]), name="api_token_scopes_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_live(self, *, at: datetime) -> bool:
        """Whether it opens doors at that moment."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class IdempotencyKey(models.Model):
    """One request that must not be carried out twice, and, once it was, its answer.

    `lease_until` says how long an unanswered claim keeps others out; `lease_token` is new on every claim, so that a
    slow holder whose claim was taken over cannot answer any more.
    """

    principal = models.CharField(max_length=160, help_text="Whose key it is; the same key of two callers is two keys.")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    lease_until = models.DateTimeField()
    lease_token = models.UUIDField()
    response_status = models.IntegerField(null=True, blank=True, help_text="Empty while the request is at work.")
    response_body = models.JSONField(null=True, blank=True)
    run_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "idempotency_keys"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["principal", "key"], name="idempotency_key_once"),
            models.CheckConstraint(
                condition=Q(response_status=None) | Q(response_body__isnull=False), name="idempotency_key_answer_whole"
            ),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]  # for the purge

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"
