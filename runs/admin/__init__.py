"""The operators' door: what runs did and do. Fields are read-only; actions call the engine."""

from django.contrib import admin

from runs.admin import (
    accounts,
    audit,
    beat,
    circuits,
    cron_logs,
    dead_letters,
    departures,
    money,
    outcomes,
    runs,
    shares,
    steps,
    usage,
    webhooks,
)

__all__ = [
    "accounts",
    "audit",
    "beat",
    "circuits",
    "cron_logs",
    "dead_letters",
    "departures",
    "money",
    "outcomes",
    "runs",
    "shares",
    "steps",
    "usage",
    "webhooks",
]

admin.site.site_header = admin.site.site_title = "Zaps"
admin.site.index_template = "admin/operators/index.html"
