"""Runs that wait for a person, as rows: the engine is not asked."""

from datetime import UTC, datetime
from decimal import Decimal

from core.ids import new_id
from runs.models import Asset, Attempt, Feedback, Run, Step
from tests.factories import make_run, planned
from zaps.planned import Gate

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def gated(owner, *, gate=None, candidates=2, mode="mock"):
    """A run whose first step has made its candidates and waits for a person."""
    door = planned("door", gate=gate or Gate(), candidates=candidates)
    run = make_run(door, planned("film", "door", kind="stitch"), owner=owner, mode=mode)
    hold(run, "approval")
    return run


def hold(run, reason, *, error="", until=None):
    Run.objects.filter(pk=run.pk).update(status="waiting", wait_reason=reason, due_at=None)
    held = {"status": "waiting", "wait_reason": reason, "error": error, "due_at": until}
    Step.objects.filter(run=run, step_id="door").update(**held)


def propose(run, attempt):
    """What the engine writes beside: approval takes this one unless told otherwise."""
    Step.objects.filter(run=run, step_id="door").update(chosen=attempt)


def make_attempt(run, number, *, score=None, status="done", **fields):
    """An attempt of the step `door` with one picture, and what a judge thought of it."""
    step = Step.objects.get(run=run, step_id="door")
    ended = {"due_at": None, "finished_at": NOON} if status in {"done", "failed"} else {}
    attempt = Attempt.objects.create(
        run=run, step=step, number=number, status=status, idem_key=new_id("key"), provider="mock",
        capability="image.gen", quote_usd=Decimal(0), **{**ended, **fields},
    )  # fmt: skip
    Step.objects.filter(pk=step.pk).update(idem_key=attempt.idem_key)
    if status != "done":
        return attempt
    asset = Asset.objects.create(
        asset_id=new_id("asset"), run=run, step=step, attempt=attempt, index=0, kind="png", content_type="image/png",
        storage_key=f"x/{number}", sha256="ab", size_bytes=1,
    )  # fmt: skip
    for one in score or ():
        Feedback.objects.create(
            run=run, step=step, asset=asset, kind="judge_score", rater="vlm", scores={"overall": one}
        )
    return attempt


def costly(owner):
    """A failed run of four dollars, of the five that it may cost."""
    run = make_run(planned("door", quote="4"), owner=owner)
    ended = {"wait_reason": None, "due_at": None, "finished_at": run.started_at}
    Step.objects.update(status="failed", error="PROVIDER_FAILED", reserved_usd=0, reserved_on=None, **ended)
    Run.objects.update(status="failed", cost_usd=Decimal(4), reserved_usd=0, **ended)
    return run
