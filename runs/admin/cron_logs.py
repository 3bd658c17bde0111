"""The cycles of the drain."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, moment, word_filter
from runs.models import CronLog

_RECENT = 90
_WITH_ERRORS = ("partial", "failed")


@admin.register(CronLog)
class CronLogAdmin(KeysetLedger):
    """One row a cycle; above the list, the newest cycles as a strip."""

    change_list_template = "admin/runs/cronlog/change_list.html"
    list_display = ("began", "job_name", "state", "took", "processed_count", "error_count", "error")
    list_filter = (word_filter("status", "status", ("success", *_WITH_ERRORS)),)
    keys = ("start_time", "pk")
    search_help_text = "Job, or an error's code, in full"
    fields = (
        "job_name",
        "state",
        "began",
        "end_time",
        "took",
        "processed_count",
        "error_count",
        "error",
        "lease_until",
    )
    readonly_fields = ("state", "began", "took")

    def find(self, term: str) -> Q:
        """By the code that its last error began with; else by job."""
        return Q(status__in=_WITH_ERRORS, error__startswith=term) if term.isupper() else Q(job_name=term)

    @admin.display(description="began")
    def began(self, log: CronLog) -> str:
        """To the second."""
        return moment(log.start_time)

    @admin.display(description="status")
    def state(self, log: CronLog) -> SafeString | str:
        """How it ended."""
        return badge(log.status or "at work")

    @admin.display(description="took")
    def took(self, log: CronLog) -> str:
        """In seconds."""
        return f"{log.duration / 1000:.1f} s" if log.duration is not None else EMPTY

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the strip."""
        recent = list(CronLog.objects.order_by("-start_time")[:_RECENT])
        return super().changelist_view(request, {**(extra_context or {}), "strip": strip(recent)})


def strip(recent: Iterable[CronLog]) -> dict[str, Any]:
    """The cycles, newest first, as cells, oldest first, and what they add up to."""
    logs = list(recent)[::-1]
    return {
        "cells": [
            {"status": log.status or "open", "title": title_of(log), "pk": log.pk, "busy": log.processed_count > 0}
            for log in logs
        ],
        "processed": sum(log.processed_count for log in logs),
        "errors": sum(log.error_count for log in logs),
        "failed": sum(log.status == "failed" for log in logs),
    }


def title_of(log: CronLog) -> str:
    """One cycle in a line."""
    what = f"{log.start_time:%H:%M:%S} {log.job_name}: {log.status or 'at work'}, {log.processed_count} dealt with"
    return f"{what}, {log.error}" if log.error else what
