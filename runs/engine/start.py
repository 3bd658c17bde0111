"""Accept a run: everything it will ever need, in one transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from core.again import again
from core.ids import new_id
from runs import dispatch, uploads
from runs.inputs import keys_of
from runs.models import Run, RunEvent, RunInput, Step
from runs.states import StepStatus, WaitReason
from runs.transitions import bells
from runs.transitions.purse import Claim, Purse
from zaps.catalogue import content_hash
from zaps.planned import Plan, PlannedStep


@again
@transaction.atomic
def start_run(  # noqa: PLR0913 (each is one thing that the caller decides)
    *,
    plan: Plan,
    source: str,
    prompts: Mapping[str, str],
    inputs: Mapping[str, Any],
    mode: str,
    owner: User | None,
    principal_id: str,
    session_id: str,
    options: Mapping[str, Any] | None = None,
    parent: Run | None = None,
) -> Run:
    """Store the run, its steps, a snapshot of its recipe, and its reservation; ring once that is committed.

    `mode` is mock or live. `options` is what else was ordered, so that a branch of the run can be ordered alike.
    Raises OverBudget where the plan's cap, its owner's or the day's has no room for it.
    """
    run = Run.objects.create(
        run_id=new_id("run"),
        owner=owner,
        principal_id=principal_id,
        session_id=session_id,
        parent=parent,
        zap_slug=plan.slug,
        zap_version=plan.version,
        source=source,
        prompts=dict(prompts),
        content_hash=content_hash(source, prompts),
        inputs=dict(inputs),
        options=dict(options or {}),
        output=plan.output,
        provider_mode=mode,
        quote_usd=plan.quote_usd,
        cap_usd=plan.cap_usd,
        reserved_usd=0,
        revision=1,
        rung_at=Now() if bells.room_for_a_run(owner.pk if owner else None) else None,
    )
    uploads.use(inputs)
    given = [RunInput(run=run, storage_key=key) for key in sorted(keys_of(inputs))]
    if given:
        RunInput.objects.bulk_create(given)
    steps = [_step(run, planned) for planned in plan.steps]
    if plan.quote_usd:
        _reserve(run, steps)
    Step.objects.bulk_create(steps)
    RunEvent.objects.create(run=run, seq=1, type="run.accepted", subject=run.run_id, actor=principal_id)
    dispatch.changed_soon((run.pk, run.owner_id, run.revision))
    if run.rung_at is not None:  # else it is told of in its turn
        dispatch.advance_soon(run.pk)
    return run


def _step(run: Run, planned: PlannedStep) -> Step:
    step = Step(
        run=run,
        step_id=planned.step_id,
        position=planned.position,
        kind=planned.kind,
        provider=planned.provider,
        model=planned.model or "",
        spec=planned.to_json(),
        parents=list(planned.parents),
        wait_reason=WaitReason.DEPENDENCY if planned.parents else None,
        due_at=None if planned.parents else Now(),
        price_quote_usd=planned.first_usd,
    )
    if planned.skipped:
        step.status, step.error, step.wait_reason, step.due_at = StepStatus.SKIPPED, "WHEN_FALSE", None, None
        step.finished_at = Now()
    return step


def _reserve(run: Run, steps: Sequence[Step]) -> None:
    """Hold every step's first attempts and candidates."""
    purse = Purse(run)
    paid = [step for step in steps if step.price_quote_usd]
    day = purse.reserve(*((Claim.of_step(step), step.price_quote_usd) for step in paid))
    for step in paid:
        step.reserved_usd, step.reserved_on = step.price_quote_usd, day
    Run.objects.filter(pk=run.pk).update(**purse.write())
