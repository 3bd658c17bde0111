"""Tables seen from another side, each with a page and permissions of its own. They have no columns of their own."""

from typing import ClassVar

from django.db import models

from runs.models.money import LedgerEntry
from runs.models.step import Step


class DeadLetters(models.Manager["DeadLetter"]):
    """Only what failed for good."""

    def get_queryset(self) -> models.QuerySet["DeadLetter"]:
        """Failed steps of failed runs, with their runs."""
        failed = super().get_queryset().filter(status="failed", run__status="failed", run__deleted_at=None)
        return failed.select_related("run")


class DeadLetter(Step):
    """A step that failed, and its run with it: nothing happens to it until somebody makes it go on."""

    objects: ClassVar[DeadLetters] = DeadLetters()

    class Meta:
        proxy = True
        ordering = ["-finished_at", "-pk"]


class Spending(LedgerEntry):
    """The ledger, summed."""

    class Meta:
        proxy = True
        verbose_name_plural = "usage"
