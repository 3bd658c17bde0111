"""Reads that more than one door needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Func, IntegerField, OrderBy, QuerySet, RowRange, Sum, Window
from django.db.models.functions import Coalesce

from core.errors import BadInput, NotFound, Problem
from flows.fields import storable
from flows.models import FlowEvent, FlowManifest, FlowOutput, FlowRun
from flows.states import NEED_ATTENTION, ResultStatus, RunStatus

TAIL = 500
MAX_BYTES = 1_000_000  # of output at once; the piece that reaches it is the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far somebody has read a run's output: up to and with one piece of one attempt."""

    attempt: int = 0
    seq: int = 0

    def __str__(self) -> str:
        return f"{self.attempt}.{self.seq}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """A place as it was given out; the beginning for "". Raises BadInput."""
        numbers = text.split(".") if text else ["0", "0"]
        if len(numbers) != 2 or not all(one.isascii() and one.isdigit() and len(one) < 10 for one in numbers):
            message = "This is no place in an output that we gave out."
            raise BadInput(message, problems=[Problem(code="PARAMETER_INVALID", message=message, path="after")])
        return cls(attempt=int(numbers[0]), seq=int(numbers[1]))


def get_event(event_id: str) -> FlowEvent:
    """The event. Raises NotFound."""
    row = FlowEvent.objects.filter(event_id=event_id).first() if storable(event_id) else None
    if row is None:
        raise NotFound(f"There is no event {event_id[:80]!r}.")
    return row


def get_run(run_id: str) -> FlowRun:
    """The run with its event. Raises NotFound."""
    rows = FlowRun.objects.select_related("event")
    row = rows.filter(run_id=run_id).first() if storable(run_id) else None
    if row is None:
        raise NotFound(f"There is no run {run_id[:80]!r}.")
    return row


def get_manifest(name: str) -> FlowManifest:
    """The flow, disabled or not. Raises NotFound for one that is deleted."""
    row = FlowManifest.objects.filter(name=name, deleted_at=None).first() if storable(name) else None
    if row is None:
        raise NotFound(f"There is no flow {name[:80]!r}.")
    return row


def events(type: str = "") -> QuerySet[FlowEvent]:
    """Events, of one type or of all; the newest first."""
    rows = FlowEvent.objects.order_by("-pk")
    return rows.filter(type=type) if type else rows


def runs(
    *, event_id: str = "", status: str = "", flow: str = "", runner: str = "", attention: bool = False
) -> QuerySet[FlowRun]:
    """Runs that all of these fit, newest first. `status` is the run's own, or what a result says of itself.

    Raises BadInput for a status that there is not.
    """
    rows = FlowRun.objects.select_related("event").order_by("-pk")
    if event_id:
        rows = rows.filter(event__event_id=event_id)
    if status:
        rows = rows.filter(**_by_status(status))
    if flow:
        rows = rows.filter(flow_name=flow)
    if runner:
        rows = rows.filter(runner=runner)
    if attention:
        rows = rows.filter(result_status__in=NEED_ATTENTION)
    return rows


def output_after(run: FlowRun, place: Place, *, limit: int) -> list[FlowOutput]:
    """The next pieces of a run's output, every attempt's in its turn: `limit`, or as many as reach MAX_BYTES."""
    rows = FlowOutput.objects.filter(attempt__run=run)
    here = rows.filter(attempt__number=place.attempt, seq__gt=place.seq)
    later = rows.filter(attempt__number__gt=place.attempt)
    return _first(here | later, F("attempt__number").asc(), F("seq").asc(), limit=limit)


def output_tail(run: FlowRun, *, limit: int = TAIL) -> list[FlowOutput]:
    """The last pieces of a run's output, oldest first: `limit`, or as many as reach MAX_BYTES."""
    rows = FlowOutput.objects.filter(attempt__run=run)
    return _first(rows, F("attempt__number").desc(), F("seq").desc(), limit=limit)[::-1]


def may_go_on(pieces: Sequence[FlowOutput], *, limit: int) -> bool:
    """Whether there may be more behind pieces that were read with this limit."""
    return len(pieces) == limit or sum(len(piece.text.encode()) for piece in pieces) >= MAX_BYTES


def _first(rows: QuerySet[FlowOutput], *order: OrderBy, limit: int) -> list[FlowOutput]:
    """At least one of them, where there is any. The database cuts, so that what is too much is never sent to us."""
    before = Window(
        Sum(Func("text", function="octet_length", output_field=IntegerField())),
        order_by=list(order),
        frame=RowRange(end=-1),
    )
    nearest = FlowOutput.objects.filter(pk__in=rows.order_by(*order).values("pk")[:limit])
    fit = nearest.annotate(before=Coalesce(before, 0)).filter(before__lt=MAX_BYTES)
    return list(fit.select_related("attempt").order_by(*order))


def _by_status(status: str) -> dict[str, str]:
    if status in set(RunStatus):
        return {"status": status}
    if status in set(ResultStatus):
        return {"result_status": status}
    message = f"status is one of {', '.join(dict.fromkeys([*RunStatus, *ResultStatus]))}."
    raise BadInput(message, problems=[Problem(code="PARAMETER_INVALID", message=message, path="status")])
