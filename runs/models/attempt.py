"""The attempt: one try at a step."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from runs.models.run import Run
from runs.models.step import Step


class Attempt(models.Model):
    """One try at a step: at most one paid request. The drain's schedule stands in its last columns.

    `lease_token` is the proof to show when writing back: it is new on every claim, so a slow old owner is refused.
    `due_at` is when to look next; a bell sets it to now and never touches the lease.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="attempts", db_index=False)  # attempt_once
    number = models.IntegerField(help_text="1 for the first try.")
    round = models.IntegerField(default=1, help_text="The step's round that it belongs to.")
    role = models.CharField(max_length=8, default="make", help_text="make, or judge: a look at what others made.")
    status = models.CharField(max_length=12, default="planned")
    idem_key = models.CharField(max_length=220)
    content_key = models.CharField(
        max_length=64, blank=True, help_text="Digest of the request and of every byte that goes into it."
    )
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    capability = models.CharField(max_length=40)
    tenant = models.IntegerField(default=0, db_default=0, help_text="Whose work it is: the owner's id; 0: nobody's.")
    account = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="The account at the provider; empty: not yet."
    )
    key_source = models.CharField(
        max_length=12, blank=True, default="", db_default="",
        help_text="Whose key it was sent with: request, creator, operator or none.",
    )  # fmt: skip
    provider_request_id = models.CharField(max_length=300, blank=True)
    urls = models.JSONField(
        default=dict, blank=True, help_text="Where to ask about the job, as the submission's answer said."
    )

    webhook_digest = models.CharField(
        max_length=64, blank=True, default="", db_default="",
        help_text="SHA-256 of the token in the address that the provider calls when the job has ended; empty: none.",
    )  # fmt: skip
    heard_at = models.DateTimeField(null=True, blank=True, help_text="When it first called.")

    progress = models.FloatField(null=True, blank=True)
    queue_position = models.IntegerField(null=True, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    logs = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=64, blank=True)
    quote_usd = models.DecimalField(max_digits=12, decimal_places=6)
    reserved_usd = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="Held of the run's cap until this ends."
    )
    reserved_on = models.DateField(null=True, blank=True, help_text="The UTC day whose budget holds it.")
    at_stake_usd = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, db_default=0,
        help_text="What a judge's look that is out may cost: booked if its answer is lost.",
    )  # fmt: skip
    actual_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    cost_source = models.CharField(max_length=12, blank=True, help_text="reported, derived, quoted, reused or none.")

    polls = models.IntegerField(default=0)
    tries = models.IntegerField(default=0, help_text="Times that this state's work was begun.")
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    settling_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "attempts"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_once"),
            # Not `unique=True`: that makes a second index, for LIKE, which every change of an attempt would pay for.
            models.UniqueConstraint(fields=["idem_key"], name="attempt_key_once"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "accepted",
                        "canceled",
                        "canceling",
                        "done",
                        "failed",
                        "planned",
                        "settling",
                        "submitting",
                        "unknown",
                    ]
                ),
                name="attempt_status_known",
            ),
            models.CheckConstraint(condition=Q(role__in=["judge", "make"]), name="attempt_role_known"),
            # An unknown submission that nobody can be asked about waits for a person or for proof; everything else that
            # is open must be looked at.
            models.CheckConstraint(
                condition=Q(status__in=["canceled", "done", "failed", "unknown"]) | Q(due_at__isnull=False),
                name="attempt_open_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["canceled", "done", "failed"])
                | (Q(finished_at__isnull=False) & Q(due_at=None)),
                name="attempt_final_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | ~Q(provider_request_id=""), name="attempt_accepted_has_request_id"
            ),
            # A webhook finds its attempt by the token in the address that it came to.
            models.UniqueConstraint(
                fields=["webhook_digest"], name="attempt_webhook_once", condition=~Q(webhook_digest="")
            ),
        ]
        indexes = [
            # Whose a job on a vendor's bill was; and the list of what went wrong. Open attempts are not in these: they
            # change often, and are few enough to be looked through.
            models.Index(
                fields=["provider_request_id"],
                name="attempt_request",
                condition=Q(status__in=["canceled", "done", "failed"]) & ~Q(provider_request_id=""),
            ),
            models.Index(
                fields=["status", "-id"], name="attempt_ended_badly", condition=Q(status__in=["canceled", "failed"])
            ),
            # How much of a tenant's work workers have been told of and not begun.
            models.Index(fields=["tenant", "rung_at"], name="attempt_begins", condition=Q(status="planned")),
            # What an account is busy with, and who waits for it.
            models.Index(
                fields=["account", "tenant"],
                name="attempt_account",
                condition=Q(status__in=["accepted", "canceling", "planned", "submitting", "unknown"]) & ~Q(account=""),
            ),
            # What was made before of the same request: results that can be taken over.
            models.Index(
                fields=["content_key"], name="attempt_content", condition=Q(status="done") & ~Q(content_key="")
            ),
            # The drain's claim: jobs at a provider, oldest due first. Small: in flight only.
            models.Index(fields=["due_at"], name="attempt_polls_due", condition=Q(status="accepted")),
            # The drain's bells: work whose message was lost, or whose worker died.
            models.Index(
                fields=["due_at"],
                name="attempt_due",
                condition=Q(status__in=["canceling", "planned", "settling", "submitting", "unknown"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}#{self.number}"
