"""How long after a provider's webhook is its job known to have ended?

    ./dev bench webhooks

The provider is the emulator, on loopback, which calls a real web process; real workers and a real drain do the rest.
Jobs end one after the other, long after they stopped being polled often. The lag is from the moment that the webhook
was put down to the moment that its attempt became `settling`, which a poll has to say.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import _place as place
from bench.post import free_port, server

FIRST_S = 30


def main() -> None:
    options = place.arguments(__doc__, jobs=300, seconds=30, threads=8, dropped=0)
    port = free_port()
    ours = {
        "ZAP_ALLOW_LOOPBACK": "1",
        "ZAP_OPERATOR_KEYS_FOR": "everyone",
        "ZAP_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "FAL_KEY": "bench",
    }
    with place.own_servers(**ours), ExitStack() as stack:
        emulator = stack.enter_context(
            place.process(sys.executable, "-m", "providers.emulator", "--port", "0", "--json", stdout=subprocess.PIPE)
        )
        os.environ["FAL_BASE_URL"] = json.loads(emulator.stdout.readline())["fal"]  # type: ignore[union-attr]
        for command in (
            server(port, 1),
            place.worker("engine,results,media", threads=options.threads, name="engine"),
            place.worker("drain", threads=2, name="drain"),
            [sys.executable, "-m", "bench._ring"],
        ):
            stack.enter_context(place.process(*command))
        place.report(options, measure(options))


def measure(options: Any) -> dict[str, Any]:
    from runs.models import Attempt, Run, Webhook  # noqa: PLC0415 (after own_servers)

    if options.dropped:
        _tell("plan", {"rules": [{"on": "webhook", "do": "drop", "times": None}]})
    runs = _buy(options)
    place.wait_until(lambda: not Attempt.objects.filter(accepted_at=None).exists(), timeout_s=120)
    before, began = place.cpu_seconds(), time.perf_counter()
    open_runs = Run.objects.filter(pk__in=runs).exclude(status="done")
    place.wait_until(lambda: not open_runs.exists(), timeout_s=FIRST_S + options.seconds + 180, every_s=0.2)
    took, after = time.perf_counter() - began, place.cpu_seconds()
    heard = Webhook.objects.filter(outcome="rung").values_list("received_at", "attempt__settling_at")
    lags = sorted((settling - received).total_seconds() * 1000 for received, settling in heard if settling)
    polls = list(Attempt.objects.values_list("polls", flat=True))
    figures = {
        "jobs": len(runs),
        "webhooks that rang": len(lags),
        "webhooks/s": round(options.jobs / options.seconds, 1),
        "seconds": round(took, 1),
        "polls a job": round(statistics.mean(polls), 1),
        "processor seconds": {name: round(after[name] - before[name], 1) for name in after},
    }
    if len(lags) > 1:
        hundredths = statistics.quantiles(lags, n=100)
        names = {"lag ms, median": 49, "lag ms, 95th of 100": 94, "lag ms, 99th of 100": 98}
        figures |= {name: round(hundredths[at], 1) for name, at in names.items()}
        figures["lag ms, worst"] = round(lags[-1], 1)
    return figures


def _buy(options: Any) -> list[int]:
    """Runs of one paid step each; their jobs end evenly over the time that is measured."""
    from tests.factories import make_run, planned  # noqa: PLC0415 (after own_servers)

    step = planned("a", provider="fal", model="fal-ai/flux/dev", quote="0.025", inputs=())
    made = []
    for number in range(options.jobs):
        _tell("pace", {"run_s": FIRST_S + options.seconds * number / options.jobs})
        made.append(make_run(step, mode="live").pk)
        place.wait_until(lambda: _bought() > len(made) - 1, timeout_s=60, every_s=0.005)
    return made


def _bought() -> int:
    from runs.models import Attempt  # noqa: PLC0415 (after own_servers)

    return Attempt.objects.exclude(accepted_at=None).count()


def _tell(subject: str, document: dict[str, Any]) -> None:
    import requests  # noqa: PLC0415 (after own_servers)

    address = f"{os.environ['FAL_BASE_URL']}/__emu__/{subject}"
    requests.post(address, json=document, timeout=10).raise_for_status()


if __name__ == "__main__":
    main()
