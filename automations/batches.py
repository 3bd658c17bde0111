"""Batches: checked and quoted whole, then begun little by little below one cap.

Every row is a firing. A look takes a batch's row, begins what there is room for, one run a transaction, and comes back
later for the rest; so a thousand rows keep nobody waiting, and whoever dies in the middle leaves the others due.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Count, QuerySet, Sum

from accounts.caller import Caller
from automations import begin, dispatch, media, sheet
from automations.begin import NoRoom, Room
from automations.models import Batch, Firing
from automations.whose import caller_for, find, find_to_stop, require_giver
from core.again import again
from core.errors import BadInput, Conflict, NotFound, OverBudget, Problem, ZapsError
from core.ids import new_id
from core.money import ZERO
from runs import uploads
from runs.control import cancel_run
from runs.inputs import is_data, keys_of
from runs.order import Mode, Order, admit, draft
from runs.states import RunStatus
from zaps import catalogue
from zaps.recipe.schema import InputType

logger = logging.getLogger(__name__)

IN_FLIGHT = 20  # runs of one batch that are at work at the same time
BY_OWNER = "CANCELED_WITH_BATCH"
_BATCHES_AT_ONCE = 100
_AT_WORK = [str(RunStatus.QUEUED), str(RunStatus.RUNNING)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A batch as somebody wants it. `inputs` are given to every row that does not say otherwise."""

    name: str = ""
    slug: str
    version: int | None = None
    mode: Mode = Mode.MOCK
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    run_cap_usd: Decimal | None = None
    cap_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A batch that can be begun. `rows` are number, line and checked inputs."""

    rows: tuple[tuple[int, int, Mapping[str, Any]], ...] = field(repr=False)
    version: int | None
    quote_usd: Decimal
    most_usd: Decimal


def quote(wish: Wish, rows: Iterable[sheet.Row], caller: Caller, *, at: datetime) -> Quote:
    """What all rows together would cost. Writes nothing.

    Raises BadInput, naming everything that is wrong with any row at its place in the file; else as `runs.order.draft`,
    and OverBudget where all rows' first attempts cost more than the cap.
    """
    admit(wish.mode, caller)
    found = catalogue.find(wish.slug, caller.known_user, version=wish.version)
    types = {name: spec.type for name, spec in found.recipe.inputs.items()}
    problems: list[Problem] = []
    planned: list[tuple[int, int, Mapping[str, Any]]] = []
    quote_usd = most_usd = ZERO
    for row in rows:
        given = {**wish.inputs, **{name: _typed(value, types.get(name)) for name, value in row.values.items()}}
        carried = [Problem(code="INPUT_CARRIED", message=f"{name}: upload media, or give an https address.",
                           path=f"inputs.{name}") for name, value in given.items() if is_data(value)]  # fmt: skip
        if carried:
            problems += [row.problem(one) for one in carried]
            continue
        order = Order(
            source=found.source, prompts=found.prompts, inputs=given, mode=wish.mode, max_usd=wish.run_cap_usd
        )
        try:
            plan = draft(order, caller, today=at.date()).plan
        except BadInput as exc:
            problems += [row.problem(one) for one in exc.problems]
            continue
        planned.append((row.number, row.line, plan.inputs))
        quote_usd, most_usd = quote_usd + plan.quote_usd, most_usd + plan.most_usd
    if problems:
        raise BadInput(
            f"{len(problems)} things are wrong with the rows; the first: {problems[0].message}", problems=problems
        )
    if quote_usd > wish.cap_usd:
        sentence = (
            f"The rows cost {quote_usd.normalize():f} USD together, and the cap is {wish.cap_usd.normalize():f} USD."
        )
        raise OverBudget(sentence, quoteUsd=float(quote_usd), capUsd=float(wish.cap_usd), rows=len(planned))
    return Quote(rows=tuple(planned), version=found.version or None, quote_usd=quote_usd, most_usd=most_usd)


def make_batch(wish: Wish, quoted: Quote, caller: Caller) -> Batch:
    """Keep the rows; workers begin them. Raises BadInput where an upload has ended meanwhile."""
    with transaction.atomic():
        batch = Batch.objects.create(
            batch_id=new_id("batch"),
            owner=caller.known_user,
            made_by=caller.principal_id,
            name=wish.name,
            slug=wish.slug,
            version=quoted.version,
            mode=str(wish.mode),
            run_cap_usd=wish.run_cap_usd,
            cap_usd=wish.cap_usd,
            row_count=len(quoted.rows),
            quote_usd=quoted.quote_usd,
            most_usd=quoted.most_usd,
        )
        for _, _, inputs in quoted.rows:
            uploads.use(inputs)
        Firing.objects.bulk_create(
            Firing(
                batch=batch, number=number, line=line, inputs=dict(inputs), media=sorted(keys_of(inputs)), status="due"
            )
            for number, line, inputs in quoted.rows
        )
        dispatch.look_soon()
    return batch


def cancel_batch(batch_id: str, caller: Caller, *, at: datetime) -> Batch:
    """No further row begins, and those at work are stopped, little by little. Raises Conflict when it has ended."""
    with transaction.atomic():
        batch = find_to_stop(Batch.objects.select_for_update(), caller, batch_id=batch_id)
        if batch.status == "done":
            raise Conflict("The batch is done already.")
        if batch.status == "open":
            stop(batch, at=at)
            dispatch.look_soon()
        return batch


def resume_batch(batch_id: str, caller: Caller, *, cap_usd: Decimal) -> Batch:
    """Raise the cap, and let the rows that it refused have their turn again. Twice is the same as once.

    A row that named an upload stays refused: its file went when it was refused. Raises BadInput where the cap would be
    less than before, and Conflict where the batch was canceled, or no row is there that a higher cap would begin.
    """
    with transaction.atomic():
        batch = find(Batch.objects.select_for_update(), caller, batch_id=batch_id)
        require_giver(batch, caller)
        if batch.status in ("canceling", "canceled"):
            raise Conflict("The batch was canceled.")
        if cap_usd < batch.cap_usd:
            sentence = f"The cap is {batch.cap_usd.normalize():f} USD already, and can only be raised."
            raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="maxUsd")])
        refused = Firing.objects.filter(batch=batch, status="refused", error=NoRoom.code)
        again_due = [row.pk for row in refused.only("inputs") if not keys_of(row.inputs)]
        if not again_due and not Firing.objects.filter(batch=batch, status="due").exists():
            raise Conflict("No row waits that a higher cap would begin.")
        Firing.objects.filter(pk__in=again_due).update(status="due", error="", ended_at=None)
        batch.cap_usd, batch.status, batch.reason, batch.finished_at = cap_usd, "open", "", None
        batch.save()
        dispatch.look_soon()
    return batch


def stop(batch: Batch, *, at: datetime) -> None:
    """Begin nothing more of the locked batch; what is at work is told to stop by whoever looks next."""
    due = Firing.objects.filter(batch=batch, status="due")
    named = list(due.values_list("media", flat=True).distinct())
    due.update(status="canceled", error=BY_OWNER, ended_at=at, media=[])
    batch.status, batch.reason = "canceling", BY_OWNER
    batch.save()
    media.release(named, of=batch.batch_id)


def counts(batch: Batch) -> dict[str, int]:
    """How many rows stand where."""
    found = Firing.objects.filter(batch=batch).values_list("status").annotate(Count("pk")).order_by()
    return dict(found)


def waiting(batch: Batch) -> int:
    """How many of its runs wait for a person."""
    return Firing.objects.filter(batch=batch, status="started", run__status=str(RunStatus.WAITING)).count()


def cost_of(rows: QuerySet[Firing]) -> Decimal:
    """What the runs of those rows have cost so far."""
    return rows.aggregate(total=Sum("run__cost_usd"))["total"] or ZERO


def go_on(*, at: datetime) -> int:
    """Do for every open batch what there is to do. Where the database fails, it is done later.

    Returns how many rows were dealt with here.
    """
    done = 0
    for pk in Batch.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True)[:_BATCHES_AT_ONCE]:
        try:
            _stop_runs(pk)
            for _ in range(IN_FLIGHT):
                if not _begin_next(pk, at):
                    break
                done += 1
        except (DatabaseError, InterfaceError):
            logger.exception("batch=%s goes-on=later", pk)
    return done


def _stop_runs(pk: int) -> None:
    """Of a batch that is being canceled, as many runs as would be at work at once."""
    live = Firing.objects.filter(batch_id=pk, batch__status="canceling", status="started", run__isnull=False)
    for run_id in live.order_by("number").values_list("run__run_id", flat=True)[:IN_FLIGHT]:
        try:
            cancel_run(str(run_id), actor=f"batch:{pk}")
        except (Conflict, NotFound):  # it has ended meanwhile
            continue


@again
@transaction.atomic
def _begin_next(pk: int, at: datetime) -> bool:
    """Begin one row. Whether there may be another to begin now."""
    free = Batch.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
    batch = free.filter(pk=pk, finished_at=None).first()
    if batch is None:
        return False
    rows = Firing.objects.filter(batch=batch)
    if rows.filter(status="started", run__status__in=_AT_WORK).count() >= IN_FLIGHT:
        return False
    row = rows.filter(status="due").order_by("number").first()
    if row is None:
        _finish(batch, at)
        return False
    return _begin(batch, row, at)


def _begin(batch: Batch, row: Firing, at: datetime) -> bool:
    rows = Firing.objects.filter(batch=batch)
    try:
        caller = caller_for(batch, principal_id=f"batch:{batch.batch_id}")
        drafted = begin.plan(batch, caller, kept=row.inputs, at=at)
        with transaction.atomic():
            begin.begin(row, drafted, caller, room=Room(rows, batch.cap_usd), at=at)
        row.save()
    except OverBudget as exc:
        if _may_wait(exc, rows):
            _say_why(batch, exc.code)
            return False
        _refuse(row, exc.code, at)
    except ZapsError as exc:
        _refuse(row, exc.code, at)
    _say_why(batch, "")
    return True


def _refuse(row: Firing, code: str, at: datetime) -> None:
    named, row.media = row.media, []
    row.status, row.error, row.ended_at = "refused", code, at
    row.save()
    media.release([named], of=f"row:{row.pk}")


def _may_wait(refusal: OverBudget, rows: QuerySet[Firing]) -> bool:
    """Money may come free while rows are at work; the owner's and the day's budgets come back by themselves."""
    is_of_the_row = type(refusal) is OverBudget  # the row alone costs more than one run may
    is_of_the_batch = isinstance(refusal, NoRoom)
    return not is_of_the_row and (not is_of_the_batch or rows.filter(status="started").exists())


def _say_why(batch: Batch, code: str) -> None:
    if batch.reason != code:
        Batch.objects.filter(pk=batch.pk).update(reason=code)


def _finish(batch: Batch, at: datetime) -> None:
    if Firing.objects.filter(batch=batch, status="started").exists():
        return
    batch.status = "canceled" if batch.status == "canceling" else "done"
    batch.finished_at = at
    batch.save()
    logger.info("batch=%s status=%s", batch, batch.status)


def _typed(value: Any, kind: InputType | None) -> Any:
    """What CSV says as a text, as the number that the recipe wants; what is none is told by whoever checks it."""
    if kind != InputType.NUMBER or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return int(number) if number.is_integer() and abs(number) < 2**53 else number
