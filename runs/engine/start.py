"""Accept a run: everything it will ever need, in one transaction."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from core.ids import new_id
from runs import dispatch
from runs.models import Run, RunEvent, Step
from runs.states import WaitReason
from zaps.catalogue import content_hash
from zaps.planned import Plan


@transaction.atomic
def start_run(
    *,
    plan: Plan,
    source: str,
    prompts: Mapping[str, str],
    inputs: Mapping[str, Any],
    mode: str,
    owner: User | None,
    principal_id: str,
    session_id: str,
) -> Run:
    """Store the run, its steps, a snapshot of its recipe, and its reservation; ring once that is committed.

    `mode` is mock or live. The plan has already been held against its cap.
    """
    run = Run.objects.create(
        run_id=new_id("run"),
        owner=owner,
        principal_id=principal_id,
        session_id=session_id,
        zap_slug=plan.slug,
        zap_version=plan.version,
        source=source,
        prompts=dict(prompts),
        content_hash=content_hash(source, prompts),
        inputs=dict(inputs),
        provider_mode=mode,
        quote_usd=plan.quote_usd,
        cap_usd=plan.cap_usd,
        reserved_usd=plan.quote_usd,
        revision=1,
    )
    Step.objects.bulk_create(
        Step(
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
            price_quote_usd=planned.quote_usd,
        )
        for planned in plan.steps
    )
    RunEvent.objects.create(run=run, seq=1, type="run.accepted", subject=run.run_id, actor=principal_id)
    dispatch.advance_soon(run.pk)
    return run
