"""Runs: the list, and the page of one with its attempts and what its step writes."""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from core.ledger import EMPTY, badge, json_block, moment, row_link, took, word_filter
from flows import events, queries, results
from flows.admin.table import Table, actor
from flows.models import FlowEvent, FlowOutput, FlowRun
from flows.queries import Place
from flows.states import FINAL, ResultStatus, RunStatus

_ATTEMPTS = 100
_MOST_SHOWN = 256 * 1024  # characters of output in the page itself
_HEAD = mark_safe(
    '<table class="flow-table"><thead><tr><th>attempt<th>status<th>worker<th>began<th>took<th>lease until<th>error</tr>'
    "</thead><tbody>"
)
_ROW = "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>"


@admin.register(FlowRun)
class FlowRunAdmin(Table):
    """Every run, newest first."""

    list_display = ("run_id", "flow", "state", "says", "its_event", "tries", "began", "time")
    list_filter = (word_filter("status", "status", RunStatus), word_filter("result", "result_status", ResultStatus))
    list_select_related = ("event",)
    list_defer = ("snapshot", "result", "labels", "event__payload", "event__extra", "event__missed")
    search_help_text = "Run id or event id, in full"
    fields = (
        ("run_id", "its_event", "replay"),
        ("flow", "flow_version", "runner"),
        ("state", "says", "error"),
        ("tries", "backoff_ms", "is_dead", "canceled_by"),
        ("priority", "due_at", "labels"),
        ("concurrency_key", "concurrency_limit", "is_held"),
        ("created_at", "began", "completed_at", "time"),
        "its_attempts",
        "its_output",
        "its_result",
        "its_snapshot",
    )
    readonly_fields = (
        "its_event", "flow", "state", "says", "tries", "began", "time", "its_attempts", "its_output", "its_result",
        "its_snapshot",
    )  # fmt: skip
    actions = ["cancel_selected", "redrive_selected"]

    class Media:
        extend: ClassVar[bool] = True
        js = ("flows/output.js",)

    def find(self, term: str) -> Q:
        """One run by its id; else those of an event."""
        found = FlowRun.objects.filter(run_id=term).values_list("pk", flat=True).first()
        if found is not None:
            return Q(pk=found)
        # Its key, not a join: the planner does not know that an event has few runs.
        return Q(event=FlowEvent.objects.filter(event_id=term).values_list("pk", flat=True).first())

    def get_queryset(self, request: HttpRequest) -> QuerySet[FlowRun]:
        """With their events."""
        runs: QuerySet[FlowRun] = super().get_queryset(request)
        return runs.select_related("event")

    @admin.display(description="flow / step")
    def flow(self, run: FlowRun) -> str:
        """What is run."""
        return f"{run.flow_name} / {run.step_name}"

    @admin.display(description="status")
    def state(self, run: FlowRun) -> SafeString | str:
        """Where it stands as a process."""
        return badge(run.status)

    @admin.display(description="says of itself")
    def says(self, run: FlowRun) -> SafeString | str:
        """The status in its result."""
        return badge(run.result_status)

    @admin.display(description="event")
    def its_event(self, run: FlowRun) -> SafeString | str:
        """What started it."""
        return row_link(run.event, run.event.event_id[:80])

    @admin.display(description="attempts")
    def tries(self, run: FlowRun) -> str:
        """How many there were, of how many there may be."""
        return f"{run.attempt_count} of {run.max_attempts}"

    @admin.display(description="started")
    def began(self, run: FlowRun) -> str:
        """Of the first claim, to the second."""
        return moment(run.started_at)

    @admin.display(description="took")
    def time(self, run: FlowRun) -> str:
        """From its first claim."""
        return took(run.started_at, run.completed_at)

    @admin.display(description="attempts")
    def its_attempts(self, run: FlowRun) -> SafeString | str:
        """The newest hundred."""
        rows = [
            (
                row_link(one, str(one.number)),
                badge(one.status),
                one.worker_id,
                moment(one.created_at),
                took(one.created_at, one.completed_at),
                moment(one.lease_until),
                one.error or "",
            )
            for one in run.attempts.order_by("-number")[:_ATTEMPTS]
        ]
        return format_html("{}{}</tbody></table>", _HEAD, format_html_join("", _ROW, rows)) if rows else EMPTY

    @admin.display(description="output")
    def its_output(self, run: FlowRun) -> SafeString:
        """Its tail. The page's script asks the output's address for what comes after."""
        pieces = queries.output_tail(run)
        last = Place(attempt=pieces[-1].attempt.number, seq=pieces[-1].seq) if pieces else Place()
        shown = format_html_join("", '<span class="flow-{}">{}</span>', _marked(pieces))
        is_cut = run.attempts.filter(is_output_cut=True).exists()
        return format_html(
            '<pre class="flow-output" data-from="{}" data-after="{}" tabindex="0">{}</pre><p role="status">{}</p>',
            "" if run.status in FINAL else output_address(run.run_id),
            str(last),
            shown,
            "It wrote more than is kept." if is_cut else "",
        )

    @admin.display(description="result")
    def its_result(self, run: FlowRun) -> SafeString | str:
        """What its step found."""
        return json_block(run.result)

    @admin.display(description="as it was made")
    def its_snapshot(self, run: FlowRun) -> SafeString | str:
        """The step as the manifest had it."""
        return json_block(run.snapshot)

    @admin.action(description="Cancel selected runs", permissions=["act"])
    def cancel_selected(self, request: HttpRequest, chosen: QuerySet[FlowRun]) -> None:
        """Stop those that have not ended."""

        def cancel(run: FlowRun) -> str:
            results.cancel(run.run_id, who=actor(request))
            return "Canceled."

        self.each(request, chosen.order_by("pk"), cancel, str)

    @admin.action(description="Redrive selected runs", permissions=["act"])
    def redrive_selected(self, request: HttpRequest, chosen: QuerySet[FlowRun]) -> None:
        """Make a new run of the same step of each that failed or was canceled."""
        self.each(
            request, chosen.order_by("pk"), lambda run: events.redrive(run.run_id), lambda new: f"Redriven as {new}."
        )


def _marked(pieces: Sequence[FlowOutput]) -> list[tuple[str, str]]:
    """The last of the pieces, as kind and text, with a mark where an attempt after the first begins."""
    found: list[tuple[str, str]] = []
    room, later = _MOST_SHOWN, None
    for piece in reversed(pieces):
        if later not in (None, piece.attempt.number):
            found.append(("mark", f"attempt {later}\n"))
        later = piece.attempt.number
        room -= len(piece.text)
        if found and room < 0:
            break
        found.append((piece.kind, piece.text))
    else:
        if later is not None and later > 1:
            found.append(("mark", f"attempt {later}\n"))
    return found[::-1]


def output_address(run_id: str) -> str:
    """Where a run's output is read; "" where the project has mounted no addresses of flows."""
    try:
        return reverse("flow-run-output", args=[run_id])
    except NoReverseMatch:
        return ""
