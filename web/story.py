"""A run as its page tells it, made of the interface's snapshot."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from web import costs, picture, words

FINAL = ("done", "failed", "canceled")
_VOTES = (("up", "I like it"), ("down", "Not for me"))
_VERBS = {"approve": "Approve", "reject": "Reject", "retry": "Make again", "rerun-from": "Make again from here"}


def tell(snapshot: Mapping[str, Any], *, now_ms: int, token: str = "") -> dict[str, Any]:
    """What the template needs. `now_ms` is where bars end that are still growing; with a read `token` nobody acts."""
    snapshot = _for_guests(snapshot, token) if token else snapshot
    run, steps, assets = snapshot["run"], snapshot["steps"], snapshot["assets"]
    statuses = {step["stepId"]: step["status"] for step in steps}
    is_paid = run["providerMode"] == "live"
    shown = [{**_step(step, assets, statuses), "verbs": _verbs(step, steps, is_paid)} for step in steps]
    done = sum(status in ("done", "skipped") for status in statuses.values())
    film = next((media(asset) for asset in assets if run["zapUrl"] and asset["url"] == run["zapUrl"]), None)
    return {
        "run": run,
        "is_final": run["status"] in FINAL,
        "title": title_of(run),
        "headline": _headline(run, shown, done),
        "film": film,
        "steps": shown,
        "votes": _VOTES,
        "voted": _last_vote(snapshot["feedback"], film["id"]) if film else None,
        "resume_usd": costs.to_resume(steps) if is_paid and "resume" in run["can"] else 0,
        "asks": [step for step in shown if step["waits"]],
        "graph": picture.of_plan(steps),
        "bars": bars(steps, start_ms=run["startedAt"], end_ms=run["finishedAt"] or now_ms),
        "took": words.duration(((run["finishedAt"] or now_ms) - run["startedAt"]) / 1000),
        "done": done,
        "remaining_usd": snapshot["remainingBudgetUsd"],
    }


def _for_guests(snapshot: Mapping[str, Any], token: str) -> dict[str, Any]:
    """The same without a verb, and with the token at every asset."""
    return {
        **snapshot,
        "run": {**snapshot["run"], "can": []},
        "steps": [{**step, "can": []} for step in snapshot["steps"]],
        "assets": [{**asset, "token": token} for asset in snapshot["assets"]],
    }


def title_of(run: Mapping[str, Any]) -> str:
    """The recipe's slug as a title: a run knows no other, and its recipe may have another by now."""
    return str(run["zapSlug"]).replace("-", " ").capitalize()


def media(asset: Mapping[str, Any]) -> dict[str, Any]:
    """An asset with its address below this site, and the element that shows it."""
    kinds = {"image": "image", "video": "video", "audio": "audio"}
    token = f"?{urlencode({'token': asset['token']})}" if "token" in asset else ""
    return {
        "id": asset["assetId"],
        "step_id": asset["stepId"],
        "attempt": asset["attempt"],
        "shown_as": kinds.get(asset["contentType"].split("/")[0], "file"),
        "src": f"/api/assets/{asset['assetId']}/content{token}",
        "still": f"/stills/{asset['assetId']}.jpg{token}",
        "width": asset["width"],
        "height": asset["height"],
        "duration_s": asset["durationS"],
        "chosen": asset["chosen"],
    }


def bars(steps: Sequence[Mapping[str, Any]], *, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    """The timings: for each step that began, its attempts as parts of the whole, in percent."""
    whole = max(end_ms - start_ms, 1)
    rows = []
    for step in steps:
        parts = []
        for attempt in step["attempts"]:
            begun = min(max(attempt["createdAt"], start_ms), end_ms)
            ended = min(max(attempt["finishedAt"] or end_ms, begun), end_ms)
            parts.append({
                "x": round(100 * (begun - start_ms) / whole, 2),
                "width": max(round(100 * (ended - begun) / whole, 2), 0.6),
                "status": attempt["status"],
                "number": attempt["number"],
            })  # fmt: skip
        if parts and step["startedAt"]:
            took = ((step["finishedAt"] or end_ms) - step["startedAt"]) / 1000
            rows.append({"step_id": step["stepId"], "parts": parts, "took": words.duration(max(took, 0))})
    return rows


def _last_vote(feedback: Sequence[Mapping[str, Any]], asset_id: str) -> str | None:
    votes = [one["scores"].get("vote") for one in feedback if one["assetId"] == asset_id and one["rater"] == "human"]
    return votes[-1] if votes else None


def _headline(run: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], done: int) -> str:
    if run["status"] == "waiting":
        asking = ", ".join(step["stepId"] for step in steps if step["waits"])
        return f"Needs you: {asking}" if asking else "Needs you"
    if run["status"] in FINAL:
        return words.STATUS[str(run["status"])]
    return f"{done} of {len(steps)} steps done"


def _verbs(step: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], is_paid: bool) -> list[tuple[str, str, float]]:
    """What may be done to the step, in words, and what that holds of the money at most, in USD."""
    prices = {"retry": costs.to_retry, "rerun-from": costs.to_rerun} if is_paid else {}
    return [(verb, _VERBS[verb], prices[verb](steps, step) if verb in prices else 0) for verb in step["can"]]


def _step(step: Mapping[str, Any], assets: Sequence[Mapping[str, Any]], statuses: Mapping[str, str]) -> dict[str, Any]:
    mine = [media(asset) for asset in assets if asset["stepId"] == step["stepId"]]
    open_parents = [parent for parent in step["parents"] if statuses.get(parent) not in ("done", "skipped")]
    place = next((one["queuePosition"] for one in step["attempts"] if one["queuePosition"] is not None), None)
    waits = words.waiting_for(step["waitReason"], open_parents) if step["status"] in ("queued", "running") else ""
    scores = {choice["assetId"]: choice["score"] for choice in (step["waits"] or {}).get("choices", ())}
    return {
        **step,
        "why": f"{waits}, place {place}" if waits and place is not None else waits,
        "otherwise": words.OTHERWISE.get((step["waits"] or {}).get("onTimeout") or "", ""),
        "percent": round(100 * step["progress"]),
        "media": [one for one in mine if one["chosen"]] or [one for one in mine if one["id"] not in scores],
        "choices": [
            {**one, "score": score} for asset_id, score in scores.items() for one in mine if one["id"] == asset_id
        ],
        "others": [one for one in mine if not one["chosen"]] if any(one["chosen"] for one in mine) else [],
        "tries": len([one for one in step["attempts"] if one["role"] == "make"]),
    }
