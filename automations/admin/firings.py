"""The operators' page of every time that an order began a run, or should have."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from automations.models import Batch, Firing, Schedule, Trigger
from automations.models.firing import KNOWN
from core.keyset import KeysetLedger
from core.ledger import badge, json_block, moment, row_link, word_filter
from runs.models import Run

_NAMED = (
    ("schedule", Schedule.objects),
    ("trigger", Trigger.objects),
    ("batch", Batch.objects),
    ("run", Run.objects),
)


@admin.register(Firing)
class FiringAdmin(KeysetLedger):
    """Every time that a run was begun without a person, or should have been."""

    list_display = ("id", "order", "state", "error", "run_link", "due", "began")
    list_filter = (word_filter("status", "status", KNOWN),)
    list_select_related = ("schedule", "trigger", "batch", "run")
    list_defer = ("inputs", "run__source", "run__prompts", "run__inputs")
    search_help_text = "The id of a schedule, a trigger, a batch or a run, in full"
    fields = (
        ("order", "number", "line"),
        ("state", "error", "times"),
        "run_link",
        ("due", "began", "ended_at"),
        "given",
    )
    readonly_fields = ("order", "state", "run_link", "due", "began", "given")

    def find(self, term: str) -> Q:
        """By whatever the id names."""
        for name, rows in _NAMED:
            pk = rows.filter(**{f"{name}_id": term}).values_list("pk", flat=True).first()
            if pk is not None:
                return Q(**{name: pk})
        return Q(pk__in=[])

    @admin.display(description="of")
    def order(self, firing: Firing) -> SafeString | str:
        """What it belongs to."""
        return row_link(firing.schedule or firing.trigger or firing.batch)

    @admin.display(description="status")
    def state(self, firing: Firing) -> SafeString | str:
        """What became of it."""
        return badge({"started": "at work"}.get(firing.status, firing.status))

    @admin.display(description="run")
    def run_link(self, firing: Firing) -> SafeString | str:
        """Its page."""
        return row_link(firing.run)

    @admin.display(description="due")
    def due(self, firing: Firing) -> str:
        """To the second."""
        return moment(firing.due_at)

    @admin.display(description="began")
    def began(self, firing: Firing) -> str:
        """To the second."""
        return moment(firing.begun_at)

    @admin.display(description="inputs")
    def given(self, firing: Firing) -> SafeString | str:
        """Its own."""
        return json_block(firing.inputs)
