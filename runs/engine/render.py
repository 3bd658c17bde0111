"""Run a local step: its materials out of storage, one function of its kind, its files into storage."""

import shutil
import tempfile
from pathlib import Path
from uuid import UUID, uuid4

from django.core.files.storage import default_storage

from core.again import again
from core.errors import StaleState, ZapsError
from runs import leases, policy
from runs.engine import ask, reads
from runs.engine.judge import judge_attempt
from runs.engine.outputs import Stored, store
from runs.engine.settle import close, fail
from runs.models import Asset, Attempt
from runs.states import AttemptStatus, WaitReason
from runs.storage import tries_after
from runs.transitions import moving
from zaps.kind import KINDS, LocalJob, Material, NothingMade
from zaps.planned import PlannedStep


def render_attempt(attempt_pk: int) -> None:
    """Render it if nobody else does. A renderer that died is replaced a few times, then the step fails."""
    attempt = reads.load(attempt_pk)
    token = _take(attempt)
    if token is None:
        return
    if attempt.role == "judge":
        judge_attempt(attempt, token)
        return
    if attempt.tries > tries_after(attempt.error, policy.RENDER_TRIES):
        fail(attempt, token, attempt.error or "LOCAL_STEP_FAILED", ask.FREE)
        return
    try:
        stored = _render(attempt, token)
    except StaleState:
        raise
    except ZapsError as exc:
        _again_or_fail(attempt, token, exc)
        return
    close(attempt, token, stored, cost=ask.FREE, seed=None)


@again
def _take(attempt: Attempt) -> UUID | None:
    if attempt.status == AttemptStatus.SETTLING:
        return leases.claim(attempt, seconds=policy.work_lease_s())
    if attempt.status != AttemptStatus.PLANNED:
        return None
    token = uuid4()
    with moving(attempt.run_id) as moves:
        moves.rendering(attempt, token)
    return token


def _again_or_fail(attempt: Attempt, token: UUID, exc: ZapsError) -> None:
    if not exc.retryable or attempt.tries >= tries_after(exc.code, policy.RENDER_TRIES):
        fail(attempt, token, exc.code, ask.FREE)
        return
    with moving(attempt.run_id) as moves:
        if leases.is_held(attempt, token):
            leases.release(attempt, token, again_in_s=policy.backoff_s(attempt.tries), error=exc.code)
            moves.put_off(attempt, WaitReason.BACKOFF)


def _render(attempt: Attempt, token: UUID) -> list[Stored]:
    planned = PlannedStep.from_json(attempt.step.spec)
    beat = leases.Heartbeat(attempt, token, seconds=policy.work_lease_s())
    with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
        inputs, work = Path(folder, "inputs"), Path(folder, "work")
        inputs.mkdir()
        work.mkdir()
        materials = [_material(asset, inputs) for asset in ask.materials(attempt.step)]
        job = LocalJob(inputs=materials, folder=work, params=planned.params, aspect=planned.aspect, beat=beat)
        render = KINDS.get(planned.kind).render
        if render is None:
            raise LookupError(f"{planned.kind} is not a local kind.")
        made = [store(attempt, index, path) for index, path in enumerate(render(job))]
        if not made:
            raise NothingMade
        return made


def _material(asset: Asset, folder: Path) -> Material:
    path = folder / f"{asset.asset_id}{Path(asset.storage_key).suffix}"
    with default_storage.open(asset.storage_key, "rb") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return Material(step_id=asset.step.step_id, path=path, kind=asset.kind)
