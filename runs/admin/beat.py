"""django-celery-beat's own pages, as lists that are read from an index, and with its actions in the audit trail."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django_celery_beat import admin as theirs
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from core.keyset import Keyset
from runs.admin.audit import note

admin.site.unregister([PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule])


class Rhythms(Keyset):
    """What tasks are repeated by. There is one of each, so nothing is searched for."""

    search_fields: ClassVar[tuple[str, ...]] = ()


@admin.register(ClockedSchedule)
class ClockedPage(Rhythms, theirs.ClockedScheduleAdmin):  # type: ignore[misc]
    """Once, at a moment."""


@admin.register(CrontabSchedule)
class CrontabPage(Rhythms, theirs.CrontabScheduleAdmin):  # type: ignore[misc]
    """As cron says it."""


@admin.register(IntervalSchedule)
class IntervalPage(Rhythms, theirs.IntervalScheduleAdmin):  # type: ignore[misc]
    """Every so often."""


@admin.register(SolarSchedule)
class SolarPage(Rhythms, theirs.SolarScheduleAdmin):  # type: ignore[misc]
    """By the sun."""


@admin.register(PeriodicTask)
class PeriodicTaskPage(Keyset, theirs.PeriodicTaskAdmin):  # type: ignore[misc]
    """What beat sends, the newest first."""

    list_filter = ("enabled",)
    search_help_text = "The beginning of a name"

    def find(self, term: str) -> Q:
        """By name."""
        return Q(name__startswith=term)

    @admin.action(description="Enable selected tasks", permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Beat sends them again."""
        super().enable_tasks(request, queryset)
        note(request, queryset, "Enabled.")

    @admin.action(description="Disable selected tasks", permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Beat sends them no more."""
        super().disable_tasks(request, queryset)
        note(request, queryset, "Disabled.")

    @admin.action(description="Toggle activity of selected tasks", permissions=["change"])
    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Each becomes what it was not."""
        super().toggle_tasks(request, queryset)
        note(request, queryset, "Toggled.")

    @admin.action(description="Run selected tasks", permissions=["change"])
    def run_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Sent once, now."""
        super().run_tasks(request, queryset)
        note(request, queryset, "Sent.")
