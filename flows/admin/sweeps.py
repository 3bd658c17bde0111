"""The cycles of the sweep."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from core.ledger import EMPTY, badge, moment, word_filter
from flows.admin.table import Table
from flows.models import FlowSweepLog


@admin.register(FlowSweepLog)
class FlowSweepLogAdmin(Table):
    """One row a cycle, newest first; those of a week are kept."""

    list_display = ("began", "state", "took", "processed_count", "error_count", "error")
    list_filter = (word_filter("status", "status", ("success", "partial", "failed")),)
    search_help_text = "The beginning of an error"
    fields = (
        ("job_name", "state"),
        ("began", "end_time", "took"),
        ("processed_count", "error_count"),
        "error",
    )
    readonly_fields = ("state", "began", "took")

    def find(self, term: str) -> Q:
        """By its error."""
        return Q(error__startswith=term)

    @admin.display(description="began")
    def began(self, log: FlowSweepLog) -> str:
        """To the second."""
        return moment(log.start_time)

    @admin.display(description="status")
    def state(self, log: FlowSweepLog) -> SafeString | str:
        """How it ended."""
        return badge(log.status or "at work")

    @admin.display(description="took")
    def took(self, log: FlowSweepLog) -> str:
        """In seconds."""
        return f"{log.duration / 1000:.1f} s" if log.duration is not None else EMPTY
