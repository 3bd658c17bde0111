"""Attempts at runs, and the pieces of what they wrote."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.errors import NotFound
from core.ledger import badge, is_list, list_link, moment, row_link, size, text_block, took, word_filter
from flows.admin.table import Table
from flows.leases import split
from flows.models import FlowAttempt, FlowOutput

_SHOWN = 120


def attempts_of(term: str) -> QuerySet[FlowAttempt]:
    """The attempt with that id, or all of the run with that id."""
    try:
        run_id, number = split(term)
    except NotFound:
        return FlowAttempt.objects.filter(run__run_id=term)
    return FlowAttempt.objects.filter(run__run_id=run_id, number=number)


@admin.register(FlowAttempt)
class FlowAttemptAdmin(Table):
    """Every worker's try, newest first."""

    list_display = ("its_id", "its_run", "state", "worker_id", "until", "began", "time", "output")
    list_display_links = ("its_id",)
    list_filter = (word_filter("status", "status", ("running",)),)
    list_select_related = ("run",)
    list_defer = ("error", "token_digest", "run__snapshot", "run__result")
    search_help_text = "Run id or attempt id, in full"
    fields = (
        ("its_id", "its_run"),
        ("state", "worker_id"),
        ("until", "heartbeat_at"),
        ("began", "completed_at", "time"),
        ("output", "is_output_cut"),
        "error",
    )
    readonly_fields = ("its_id", "its_run", "state", "until", "began", "time", "output")

    def find(self, term: str) -> Q:
        """By its run."""
        return Q(pk__in=list(attempts_of(term).values_list("pk", flat=True)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[FlowAttempt]:
        """With their runs."""
        attempts: QuerySet[FlowAttempt] = super().get_queryset(request)
        return attempts.select_related("run")

    @admin.display(description="attempt")
    def its_id(self, attempt: FlowAttempt) -> str:
        """As workers name it."""
        return f"{attempt.run.run_id}.{attempt.number}"

    @admin.display(description="run")
    def its_run(self, attempt: FlowAttempt) -> SafeString | str:
        """With its output."""
        return row_link(attempt.run)

    @admin.display(description="status")
    def state(self, attempt: FlowAttempt) -> SafeString | str:
        """Whether it holds the lease."""
        return badge(attempt.status)

    @admin.display(description="lease until")
    def until(self, attempt: FlowAttempt) -> str:
        """To the second."""
        return moment(attempt.lease_until)

    @admin.display(description="claimed")
    def began(self, attempt: FlowAttempt) -> str:
        """To the second."""
        return moment(attempt.created_at)

    @admin.display(description="took")
    def time(self, attempt: FlowAttempt) -> str:
        """From its claim."""
        return took(attempt.created_at, attempt.completed_at)

    @admin.display(description="output")
    def output(self, attempt: FlowAttempt) -> SafeString:
        """How much is stored."""
        facts = f"{attempt.output_seq} pieces, {size(attempt.output_bytes)}"
        return list_link("flows_flowoutput", facts, q=f"{attempt.run.run_id}.{attempt.number}")


@admin.register(FlowOutput)
class FlowOutputAdmin(Table):
    """What steps wrote, newest first."""

    list_display = ("place", "kind", "beginning", "written")
    list_select_related = ("attempt__run",)
    list_defer = ("text", "attempt__error", "attempt__run__snapshot", "attempt__run__result")
    search_help_text = "Run id or attempt id, in full"
    fields = (("place", "kind", "written"), "whole")
    readonly_fields = ("place", "written", "whole")

    def find(self, term: str) -> Q:
        """By the attempt that wrote it, or its run."""
        return Q(attempt__in=list(attempts_of(term).values_list("pk", flat=True)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[FlowOutput]:
        """In lists with the beginning of each text alone."""
        pieces: QuerySet[FlowOutput] = super().get_queryset(request).select_related("attempt__run")
        return pieces.annotate(first_words=Left("text", _SHOWN)) if is_list(request) else pieces

    @admin.display(description="piece")
    def place(self, piece: FlowOutput) -> str:
        """Its attempt, and its number there."""
        return f"{piece.attempt.run.run_id}.{piece.attempt.number}:{piece.seq}"

    @admin.display(description="text")
    def beginning(self, piece: FlowOutput) -> str:
        """Its first words."""
        return str(getattr(piece, "first_words", ""))

    @admin.display(description="stored")
    def written(self, piece: FlowOutput) -> str:
        """To the second."""
        return moment(piece.created_at)

    @admin.display(description="text")
    def whole(self, piece: FlowOutput) -> SafeString | str:
        """As it was written."""
        return text_block(piece.text)
