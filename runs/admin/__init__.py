"""The operators' door: what runs did and do. Fields are read-only; actions call the engine."""

from django.contrib import admin

from runs.admin import cron_logs, outcomes, runs, steps

__all__ = ["cron_logs", "outcomes", "runs", "steps"]

admin.site.site_header = admin.site.site_title = "Zaps"
