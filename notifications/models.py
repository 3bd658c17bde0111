"""To whom what is told: receivers of webhooks, wishes for mail, and the outbox that both go through."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

_EVENTS = ["run.canceled", "run.done", "run.failed", "run.started", "run.waiting"]


class Endpoint(models.Model):
    """An address that is told of an owner's runs, or of one run alone. Its secret is kept as the vault keeps keys."""

    hook_id = models.CharField(max_length=40, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhook_endpoints", db_index=False
    )
    run = models.ForeignKey(
        "runs.Run", null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_endpoints", db_index=False,
        help_text="The one run that it is told of; empty: all of its owner's.",
    )  # fmt: skip
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True, help_text="What its owner calls it.")
    events = ArrayField(models.CharField(max_length=20), help_text="Such as run.done.")
    secret = models.TextField(editable=False, help_text="Encrypted.")
    old_secret = models.TextField(blank=True, editable=False, help_text="What it was before it was rotated.")
    old_until = models.DateTimeField(null=True, blank=True, help_text="Until then the old one signs too.")
    is_on = models.BooleanField(default=True)
    off_reason = models.CharField(
        max_length=10, blank=True, help_text="owner, operator, gone or failing; empty while it is on."
    )
    failures = models.IntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True, blank=True)
    rest_until = models.DateTimeField(null=True, blank=True, help_text="Until then it is left alone.")
    created_at = models.DateTimeField(db_default=Now())
    rotated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "webhook_endpoints"
        ordering = ["-pk"]
        verbose_name = "webhook endpoint"
        constraints = [
            models.CheckConstraint(condition=Q(events__contained_by=_EVENTS), name="webhook_endpoint_events_known"),
            models.CheckConstraint(
                condition=Q(is_on=True, off_reason="") | Q(is_on=False) & ~Q(off_reason=""),
                name="webhook_endpoint_off_says_why",
            ),
            models.CheckConstraint(
                condition=Q(old_secret="", old_until=None) | Q(old_until__isnull=False) & ~Q(old_secret=""),
                name="webhook_endpoint_old_secret_ends",
            ),
        ]
        indexes = [
            # Whom a run's move is told to, asked in its transaction; and an owner's list.
            models.Index(fields=["owner", "-id"], name="webhook_endpoint_owner", condition=Q(run=None)),
            models.Index(fields=["run"], name="webhook_endpoint_run", condition=Q(run__isnull=False)),
            models.Index(fields=["off_reason", "-id"], name="webhook_endpoint_off", condition=Q(is_on=False)),
        ]

    def __str__(self) -> str:
        return self.hook_id


class MailWish(models.Model):
    """Of what somebody wants to be told by mail."""

    owner = models.OneToOneField(
        settings.AUTH_USER_MODEL, primary_key=True, on_delete=models.CASCADE, related_name="mail_wish"
    )
    events = ArrayField(models.CharField(max_length=20), help_text="Such as run.waiting; empty: of nothing.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "mail_wishes"
        ordering = ["-updated_at"]
        verbose_name_plural = "mail wishes"
        constraints = [
            models.CheckConstraint(
                condition=Q(events__contained_by=["run.done", "run.failed", "run.waiting"]),
                name="mail_wish_events_known",
            )
        ]

    def __str__(self) -> str:
        return f"mail to {self.owner_id}"


class Delivery(models.Model):
    """One message to one receiver: a webhook, or a mail where there is no endpoint. Written with the move it tells of.

    Open, it is due at `due_at`; `lease_until` and `lease_token` say who is at it. `log` has a line for each try.
    """

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    endpoint = models.ForeignKey(
        Endpoint, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries", db_index=False,
        help_text="Empty: a mail.",
    )  # fmt: skip
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.CharField(
        max_length=60, editable=False, db_index=True, help_text="The same in every try, and for all receivers."
    )
    type = models.CharField(max_length=20)
    data = models.JSONField(help_text="What is said of the run, as it was then.")
    happened_at = models.DateTimeField(db_default=Now())

    status = models.CharField(max_length=10, default="waiting")
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    rung_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    tries = models.IntegerField(default=0)
    log = models.JSONField(default=list, help_text="Of each try: when, status, milliseconds, code.")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "deliveries"
        ordering = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["delivered", "failed", "waiting"]), name="delivery_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", due_at__isnull=False, ended_at=None)
                | ~Q(status="waiting") & Q(due_at=None, ended_at__isnull=False),
                name="delivery_open_is_due",
            ),
            models.UniqueConstraint(
                fields=["endpoint", "event_id"], name="delivery_once", condition=Q(endpoint__isnull=False)
            ),
            models.UniqueConstraint(fields=["owner", "event_id"], name="mail_once", condition=Q(endpoint=None)),
        ]
        indexes = [
            # What is due; what else of a run still has to go to the same receiver; what an owner has out.
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(status="waiting")),
            models.Index(fields=["endpoint", "run", "id"], name="delivery_order", condition=Q(status="waiting")),
            models.Index(fields=["owner", "rung_at"], name="delivery_out", condition=Q(status="waiting")),
            models.Index(fields=["endpoint", "-id"], name="delivery_of_endpoint"),  # its log
            models.Index(fields=["status", "-id"], name="delivery_status"),  # the operators' list
            models.Index(fields=["ended_at"], name="delivery_age"),  # for the purge
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
