"""What a run that stands still asks of a person, and the commands that would move it."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli import talk

_ENDS = {"approve": "approved", "reject": "rejected", "retry": "tried again"}


def lines(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Why each waiting step waits, with what can be picked; then the commands. Nothing while the run is at work."""
    run, steps = snapshot["run"], snapshot["steps"]
    if run["status"] not in {"waiting", "failed", "canceled"}:
        return
    waiting = [step for step in steps if step.get("waits")]
    assets = {asset["assetId"]: asset for asset in snapshot["assets"]}
    for step in waiting:
        yield f"  {step['stepId']}: {_why(step['waits'])}"
        yield from (f"    {_choice(one, assets)}" for one in step["waits"]["choices"])
        yield from (f"    {command}" for command in _commands(run, step, is_only=len(waiting) == 1))
    if not waiting:
        yield from (f"  zap retry {run['runId']} --step {step['stepId']}" for step in steps if _can(step, "retry"))
    if _can(run, "resume"):
        yield f"  zap resume {run['runId']}{' --max-usd X' if run['waitReason'] == 'budget' else ''}"


def _why(waits: Mapping[str, Any]) -> str:
    if waits["until"] is None:
        return str(waits["message"])
    ending = _ENDS.get(waits["onTimeout"], "ended")
    return f"{waits['message']} By itself it is {ending} at {talk.moment(waits['until'])}."


def _choice(choice: Mapping[str, Any], assets: Mapping[str, Mapping[str, Any]]) -> str:
    asset = assets.get(choice["assetId"], {})
    score = f"score {choice['score']:.2f}" if choice["score"] is not None else "no score"
    where = asset.get("path") or asset.get("url", "")
    return f"{choice['assetId']}  attempt {choice['attempt']}  {score}  {where}".rstrip()


def _commands(run: Mapping[str, Any], step: Mapping[str, Any], *, is_only: bool) -> Iterator[str]:
    whose = run["runId"] if is_only else f"{run['runId']} --step {step['stepId']}"
    for verb in ("approve", "retry", "reject"):
        if _can(step, verb):
            is_pick = verb == "approve" and len(step["waits"]["choices"]) > 1
            yield f"zap {verb} {whose}{' [--asset ASSET]' if is_pick else ''}"


def _can(row: Mapping[str, Any], verb: str) -> bool:
    return verb in row.get("can", ())
