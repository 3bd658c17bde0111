"""Runs at certain times."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from automations.models.standing import Standing, recipe_index


class Schedule(Standing):
    """A recipe that is run again and again. `next_at` is the truth about when; beat only rings."""

    schedule_id = models.CharField(max_length=40, unique=True, editable=False)
    media = ArrayField(models.CharField(max_length=300), default=list, editable=False, help_text="Files that it names.")
    cron = models.CharField(max_length=120, blank=True, help_text="Five fields. Empty: every so many seconds.")
    every_s = models.IntegerField(null=True, blank=True)
    zone = models.CharField(max_length=64, default="UTC", help_text="Whose wall clock the five fields go by.")
    since = models.DateTimeField(help_text="Where intervals are counted from.")
    overlap = models.CharField(max_length=8, default="skip", help_text="While the last run is at work: skip or allow.")
    day_cap_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text="What its runs of one UTC day may cost."
    )
    give_up_after = models.IntegerField(default=3, help_text="It pauses by itself after so many failures in a row.")

    status = models.CharField(max_length=8, default="active")
    reason = models.CharField(max_length=64, blank=True, help_text="Why it is paused, as a code.")
    error = models.CharField(max_length=64, blank=True, help_text="Code of the newest failure.")
    failures = models.IntegerField(default=0, help_text="In a row.")
    next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "schedules"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status="active", next_at__isnull=False, reason="")
                | (Q(status="paused", next_at=None) & ~Q(reason="")),
                name="schedule_is_due_or_says_why",
            ),
            models.CheckConstraint(
                condition=Q(cron="", every_s__isnull=False) | (~Q(cron="") & Q(every_s=None)),
                name="schedule_one_rhythm",
            ),
            models.CheckConstraint(condition=Q(overlap__in=["allow", "skip"]), name="schedule_overlap_known"),
            models.CheckConstraint(condition=Q(mode__in=["live", "mock"]), name="schedule_mode_known"),
            models.CheckConstraint(
                condition=~Q(mode="live") | Q(run_cap_usd__isnull=False, day_cap_usd__isnull=False),
                name="schedule_live_has_caps",
            ),
        ]
        indexes = [
            # What is due. Small: active ones only.
            models.Index(fields=["next_at"], name="schedule_due", condition=Q(status="active")),
            models.Index(fields=["owner", "-id"], name="schedule_owner"),
            GinIndex(fields=["media"], name="schedule_media"),  # who else uses a file
            models.Index(fields=["-id", "reason"], name="schedule_paused", condition=Q(status="paused")),
            recipe_index("schedule"),
        ]

    def __str__(self) -> str:
        return self.schedule_id
