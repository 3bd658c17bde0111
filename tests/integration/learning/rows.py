"""Runs that have ended, as the engine leaves them behind."""

from datetime import date, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.caller import Caller, Scope
from core.ids import new_id
from runs.models import Attempt, Run, Step
from runs.order import Mode, Order, draft, place

TODAY = date(2026, 11, 21)


def order_run(source, owner, **more) -> Run:
    """An accepted run of the recipe."""
    return place(plan(source, owner, **more), caller_of(owner))


def plan(source, owner, *, prompts=None, inputs=None, mode="live", **more):
    """The recipe, ordered and not placed."""
    order = Order(source=source, prompts=prompts or {}, inputs=inputs or {}, mode=Mode(mode), **more)
    return draft(order, caller_of(owner), today=TODAY)


def caller_of(owner):
    return Caller(user=owner, principal_id=f"user:{owner.pk}", scopes=frozenset(Scope), is_staff=owner.is_staff)


def end(run, status="done", *, seconds=60, cost=None, **tries) -> Run:
    """Close the run; `tries` are a step's attempts, oldest first, where they are not one that just worked."""
    for step in run.steps.exclude(status="skipped").order_by("position"):
        mine = [make_try(step, number, **one) for number, one in enumerate(tries.get(step.step_id, [{}]), 1)]
        chosen = next((one for one in mine if one.status == "done" and one.role == "make"), None)
        began = timezone.now() - timedelta(seconds=seconds)
        Step.objects.filter(pk=step.pk).update(
            status="done" if chosen else "failed", chosen=chosen, wait_reason=None, due_at=None, reserved_usd=0,
            error="" if chosen else mine[-1].error, started_at=began, finished_at=began + timedelta(seconds=10),
            actual_usd=sum(one.actual_usd or 0 for one in mine),
        )  # fmt: skip
    now = timezone.now()
    total = sum(one.actual_usd or Decimal(0) for one in Attempt.objects.filter(run=run))
    Run.objects.filter(pk=run.pk).update(
        status=status, stage="complete", due_at=None, wait_reason=None, reserved_usd=0, started_at=run.started_at,
        cost_usd=total if cost is None else Decimal(cost), finished_at=run.started_at + timedelta(seconds=seconds),
    )  # fmt: skip
    run.refresh_from_db()
    assert run.finished_at <= now + timedelta(seconds=seconds)
    return run


def make_try(step, number, *, status="done", usd=None, error="", role="make", round=1, **fields):
    """One attempt that has ended; it costs its quote unless told otherwise, and nothing where it failed."""
    quote = Decimal(step.spec["quote_usd"])
    cost = Decimal(usd) if usd is not None else quote if status == "done" and role == "make" else Decimal(0)
    return Attempt.objects.create(
        run_id=step.run_id, step=step, number=number, round=round, role=role, status=status, error=error,
        idem_key=new_id("key"), capability=step.kind, provider_request_id=new_id("job"), quote_usd=quote,
        actual_usd=cost, cost_source=fields.pop("cost_source", "derived"), due_at=None, finished_at=timezone.now(),
        provider=fields.pop("provider", step.provider), model=fields.pop("model", step.model), **fields,
    )  # fmt: skip
