"""Orders a film and waits for it. Needs Python alone, and of the worker's environment ZAP_API_URL and ZAP_RUN_KEY.

However often the step is tried, there is one film: the flow run's id is the order's Idempotency-Key.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

LOOK_EVERY_S = 2.0
PAUSES_S = (1.0, 2.0, 4.0, 8.0)  # between five tries
PASSING = (409, 425, 429, 500, 502, 503, 504)  # 409: the order is being taken at this moment
OURS = {"done": "completed", "failed": "failed", "canceled": "failed", "waiting": "needs_intervention"}


class Refused(Exception):
    """Zaps said no, and would say so again. The sentence is its own, with what to do about it."""


def main() -> None:
    context = json.load(sys.stdin)
    config, event, flow_run = context["flow"]["config"], context["flow"]["event"], context["runtime"]["runId"]
    order = {
        "slug": config["recipe"],
        "mode": config["mode"],
        "maxUsd": config["max_usd"],
        "inputs": {"CREATURE": event["payload"]["creature"]},
    }
    try:
        run_id = ask("POST", "/api/zaps/run", order, key=f"flow:{flow_run}")["runId"]
        print("The run is", run_id)
        run = watch(run_id)
    except Refused as exc:
        say(status="blocked", reason=str(exc))
        return
    say(
        status=OURS[run["status"]],
        runId=run_id,
        zapStatus=run["status"],
        reason=run["error"] or run["waitReason"],
        film=run["zapUrl"],
        spentUsd=run["costUsd"],
    )


def watch(run_id: str) -> dict[str, Any]:
    """The run when it has ended, or when nothing moves it any more but a person."""
    stage = ""
    while True:
        run: dict[str, Any] = ask("GET", f"/api/runs/{run_id}")["run"]
        if run["stage"] != stage:
            stage = run["stage"]
            print(stage)
        if run["status"] in OURS:
            return run
        time.sleep(LOOK_EVERY_S)


def ask(method: str, path: str, body: Any = None, *, key: str = "") -> dict[str, Any]:
    """The answer; what may pass is asked again. Raises Refused, and OSError when nobody answers for a while."""
    headers = {"Authorization": f"Bearer {os.environ['ZAP_RUN_KEY']}", "Content-Type": "application/json"}
    if key:
        headers["Idempotency-Key"] = key
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(os.environ["ZAP_API_URL"] + path, data, headers, method=method)
    for pause_s in PAUSES_S:
        try:
            return once(request)
        except urllib.error.HTTPError as exc:
            if exc.code not in PASSING:
                problem = json.load(exc)
                raise Refused(f"{problem['code']}: {problem['detail']} {problem['remediation']}") from None
        except OSError:
            pass
        time.sleep(pause_s)
    return once(request)


def once(request: urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(request, timeout=30) as answer:
        read: dict[str, Any] = json.load(answer)
        return read


def say(**result: Any) -> None:
    """The line that the worker reads."""
    print("FLOW_RESULT", json.dumps(result))


main()
