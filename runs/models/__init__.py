"""The run's tables, one file a subject."""

from runs.models.asset import Asset, Feedback
from runs.models.cron_log import CronLog
from runs.models.run import Run, RunEvent
from runs.models.step import Attempt, Step

__all__ = ["Asset", "Attempt", "CronLog", "Feedback", "Run", "RunEvent", "Step"]
