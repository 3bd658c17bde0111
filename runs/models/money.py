"""Money beside the runs: what was reserved and spent, and how much anybody may.

A run's own budget stands in its row. These tables hold the sums across runs, and every movement one by one.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class Budget(models.Model):
    """What runs together hold and have spent: of one owner, of one owner on one day, or of everybody on one day."""

    key = models.CharField(max_length=80, unique=True, help_text="owner:7, owner:7:2030-01-31 or day:2030-01-31.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True)
    day = models.DateField(null=True, blank=True, help_text="UTC.")
    reserved_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)
    spent_usd = models.DecimalField(max_digits=14, decimal_places=6, default=0)

    class Meta:
        db_table = "budgets"
        constraints = [
            models.CheckConstraint(condition=Q(reserved_usd__gte=0) & Q(spent_usd__gte=0), name="budget_not_negative")
        ]
        indexes = [models.Index(fields=["-day"], name="budget_day")]

    def __str__(self) -> str:
        return self.key


class Allowance(models.Model):
    """What one owner may spend, where it is not what the settings say for everybody."""

    owner = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="allowance")
    cap_usd = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="In all. Empty: as the settings say."
    )
    day_cap_usd = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="A UTC day. Empty: as the settings say."
    )

    class Meta:
        db_table = "allowances"

    def __str__(self) -> str:
        return f"allowance of {self.owner}"


class LedgerEntry(models.Model):
    """One movement of money. Rows are only ever added; a trigger refuses everything else.

    It names its run by id and not by a foreign key, so that it outlives it.
    """

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=12, help_text="reserved, released, spent or overshoot.")
    usd = models.DecimalField(max_digits=12, decimal_places=6)
    quote_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0, help_text="Of a spent entry.")
    source = models.CharField(max_length=12, blank=True, help_text="Of a spent entry: reported, derived or quoted.")
    day = models.DateField(help_text="The UTC day of the reservation.")
    run_id = models.CharField(max_length=40)
    step_id = models.CharField(max_length=80)
    attempt = models.IntegerField(null=True, blank=True, help_text="Its number; empty before there is one.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, db_constraint=False, null=True, blank=True
    )
    zap_slug = models.CharField(max_length=64)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)

    class Meta:
        db_table = "ledger"
        verbose_name_plural = "ledger"
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["overshoot", "released", "reserved", "spent"]), name="ledger_kind_known"
            ),
        ]
        indexes = [
            models.Index(fields=["run_id"], name="ledger_run"),
            # Lists, newest first: of one provider, and of what is rare.
            models.Index(fields=["provider", "-id"], name="ledger_provider"),
            models.Index(fields=["source", "-id"], name="ledger_source", condition=Q(kind="spent")),
            models.Index(fields=["-id"], name="ledger_overshoot", condition=Q(kind="overshoot")),
            models.Index(fields=["owner", "day"], name="ledger_owner", condition=Q(kind="spent")),
            models.Index(fields=["day"], name="ledger_day", condition=Q(kind="spent")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.usd} for {self.run_id}/{self.step_id}"
