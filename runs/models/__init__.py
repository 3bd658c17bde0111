"""The tables of runs."""

from runs.models.account import ProviderAccount
from runs.models.asset import Asset, Feedback
from runs.models.attempt import Attempt
from runs.models.circuit import Circuit
from runs.models.cron_log import CronLog
from runs.models.deletion import DoomedFile, RunInput
from runs.models.direct_upload import DirectUpload
from runs.models.money import Allowance, Budget, LedgerEntry
from runs.models.run import Run, RunEvent
from runs.models.share import RunShare
from runs.models.step import Step
from runs.models.upload import Upload
from runs.models.views import DeadLetter, Spending
from runs.models.webhook import Webhook

__all__ = [
    "Allowance",
    "Asset",
    "Attempt",
    "Budget",
    "Circuit",
    "CronLog",
    "DeadLetter",
    "DirectUpload",
    "DoomedFile",
    "Feedback",
    "LedgerEntry",
    "ProviderAccount",
    "Run",
    "RunEvent",
    "RunInput",
    "RunShare",
    "Spending",
    "Step",
    "Upload",
    "Webhook",
]
