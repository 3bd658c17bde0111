"""What happened, and what came of it; and running it again."""

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from core.ledger import EMPTY, json_block, list_link, moment, row_link
from flows import events
from flows.admin.table import Table
from flows.models import FlowEvent

_RUNS = 50


@admin.register(FlowEvent)
class FlowEventAdmin(Table):
    """Every event, newest first."""

    list_display = ("event_id", "type", "source", "replays", "came", "its_runs")
    list_defer = ("payload", "extra", "missed")
    search_help_text = "Event id, or a type, in full"
    fields = (
        ("event_id", "type"),
        ("source", "occurred_at"),
        ("received_at", "came", "replays"),
        "first_runs",
        "its_payload",
        "its_extra",
        "its_missed",
    )
    readonly_fields = ("came", "first_runs", "its_payload", "its_extra", "its_missed")
    actions = ["replay_selected"]

    def find(self, term: str) -> Q:
        """One event by its id; else those of a type."""
        found = FlowEvent.objects.filter(event_id=term).values_list("pk", flat=True).first()
        return Q(type=term) if found is None else Q(pk=found)

    @admin.display(description="stored")
    def came(self, event: FlowEvent) -> str:
        """By our clock, to the second."""
        return moment(event.created_at)

    @admin.display(description="runs")
    def its_runs(self, event: FlowEvent) -> SafeString:
        """A link to all of them."""
        return list_link("flows_flowrun", "runs", event__id__exact=event.pk)

    @admin.display(description="runs")
    def first_runs(self, event: FlowEvent) -> SafeString | str:
        """The first of them, each with where it stands."""
        runs = event.runs.order_by("pk").defer("snapshot", "result")[:_RUNS]
        facts = ((row_link(run), run.flow_name, run.step_name, run.status) for run in runs)
        return format_html_join("", "<div>{} {}/{} {}</div>", facts) or EMPTY

    @admin.display(description="payload")
    def its_payload(self, event: FlowEvent) -> SafeString | str:
        """As it came."""
        return json_block(event.payload)

    @admin.display(description="further fields")
    def its_extra(self, event: FlowEvent) -> SafeString | str:
        """Those that we have no name for."""
        return json_block(event.extra)

    @admin.display(description="did not match")
    def its_missed(self, event: FlowEvent) -> SafeString | str:
        """Which steps listen to its type and were not started, and why."""
        return json_block(event.missed)

    @admin.action(description="Replay selected events", permissions=["act"])
    def replay_selected(self, request: HttpRequest, chosen: QuerySet[FlowEvent]) -> None:
        """Against the flows as they are now."""
        self.each(
            request,
            chosen.order_by("pk"),
            lambda event: str(events.replay(event.event_id).matched),
            lambda matched: "Replayed: 1 run." if matched == "1" else f"Replayed: {matched} runs.",
        )
