"""Branch a run off: a new run of the same recipe, with other inputs. What does not change is taken over for nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from accounts.caller import Caller
from core.errors import NotFound
from runs.engine.content import will_be_taken_over
from runs.models import Run
from runs.order import Draft, Mode, Order, admit, draft, keep_media, place
from runs.queries import require_there


def fork_run(
    run_id: str,
    *,
    caller: Caller,
    inputs: Mapping[str, Any] | None = None,
    extend_count: int | None = None,
    mode: Mode | None = None,
    max_usd: Decimal | None = None,
) -> Run:
    """A new run; `inputs` are laid over the other run's, a value of None takes one away. Whatever is None stays.

    Raises NotFound, and what planning raises: BadInput, OverBudget; CallerRefused for a live run without the right.
    """
    drafted = draft_fork(run_id, caller=caller, inputs=inputs, extend_count=extend_count, mode=mode, max_usd=max_usd)
    return place_fork(run_id, keep_media(drafted), caller)


def draft_fork(
    run_id: str,
    *,
    caller: Caller,
    inputs: Mapping[str, Any] | None = None,
    extend_count: int | None = None,
    mode: Mode | None = None,
    max_usd: Decimal | None = None,
) -> Draft:
    """The plan of the new run; nothing is written."""
    parent = _parent(run_id)
    given = dict(inputs or {})
    order = Order(
        source=parent.source,
        prompts=parent.prompts,
        inputs={name: value for name, value in given.items() if value is not None},
        kept={name: value for name, value in parent.inputs.items() if name not in given},
        mode=mode or Mode(parent.provider_mode),
        extend_count=parent.options.get("extendCount") if extend_count is None else extend_count,
        provider=parent.options.get("provider"),
        max_usd=max_usd,
    )
    admit(order.mode, caller)
    drafted = draft(order, caller, today=datetime.now(UTC).date())
    return replace(drafted, plan=replace(drafted.plan, slug=parent.zap_slug, version=parent.zap_version))


def foresee_fork(run_id: str, drafted: Draft, caller: Caller) -> frozenset[str]:
    """The ids of those steps of the draft that will be taken over, so far as that is certain. Nothing is written."""
    owner = caller.user.pk if caller.user else None
    return will_be_taken_over(drafted.plan.steps, drafted.plan.inputs, parent=_parent(run_id).pk, owner=owner)


def place_fork(run_id: str, drafted: Draft, caller: Caller) -> Run:
    """Start the drafted run as a branch of that one."""
    return place(drafted, caller, parent=_parent(run_id))


def _parent(run_id: str) -> Run:
    run = Run.objects.filter(run_id=run_id).first()
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    require_there(run)
    return run
