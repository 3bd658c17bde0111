"""How long does a small tenant wait behind a large one?

    ./dev bench turns

One tenant orders a thousand runs of one paid step each. Then another orders one, again and again, while the thousand
are worked off; its wait is from its order to the moment that its request was about to be sent. Web apart, all is real:
workers, a drain, and the emulator, which takes its time to answer each submission.
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

LIMIT_S = 600


def main() -> None:
    options = place.arguments(__doc__, jobs=1000, threads=8, answer_ms=200)
    ours = {"ZAP_ALLOW_LOOPBACK": "1", "ZAP_OPERATOR_KEYS_FOR": "everyone", "FAL_KEY": "bench"}
    with place.own_servers(**ours), ExitStack() as stack:
        emulator = stack.enter_context(
            place.process(sys.executable, "-m", "providers.emulator", "--port", "0", "--json", stdout=subprocess.PIPE)
        )
        os.environ["FAL_BASE_URL"] = json.loads(emulator.stdout.readline())["fal"]  # type: ignore[union-attr]
        large, small = _tenants()
        _answer_after(options.answer_ms)
        for _ in range(options.jobs):
            _order(large)
        for command in (
            place.worker("engine,results,media", threads=options.threads, name="engine"),
            place.worker("drain", threads=2, name="drain"),
            [sys.executable, "-m", "bench._ring"],
        ):
            stack.enter_context(place.process(*command))
        place.report(options, measure(options, large, small))


def measure(options: Any, large: Any, small: Any) -> dict[str, Any]:
    from runs.models import Attempt  # noqa: PLC0415 (after own_servers)

    begun = Attempt.objects.filter(tenant=large.pk).exclude(submitted_at=None)
    place.wait_until(begun.exists, timeout_s=LIMIT_S)
    began, waits = time.perf_counter(), []
    while begun.count() < options.jobs:
        waits.append(_wait_of(_order(small)))
    took = time.perf_counter() - began
    waits.sort()
    return {
        "jobs of the large tenant": options.jobs,
        "ms to answer a submission": options.answer_ms,
        "seconds until all had begun": round(took, 1),
        "orders of the small tenant": len(waits),
        "its wait s, median": round(statistics.median(waits), 2),
        "its wait s, worst": round(waits[-1], 2),
    }


def _tenants() -> Any:
    from django.contrib.auth.models import User  # noqa: PLC0415 (after own_servers)

    return (User.objects.create(username=name) for name in ("large", "small"))


def _order(owner: Any) -> int:
    from tests.factories import make_run, planned  # noqa: PLC0415 (after own_servers)

    step = planned("a", provider="fal", model="fal-ai/flux/dev", quote="0.025", inputs=())
    return make_run(step, mode="live", owner=owner).pk


def _wait_of(run_pk: int) -> float:
    from django.db.models import F  # noqa: PLC0415 (after own_servers)

    from runs.models import Attempt  # noqa: PLC0415

    found = Attempt.objects.filter(run_id=run_pk).exclude(submitted_at=None)
    place.wait_until(found.exists, timeout_s=LIMIT_S)
    wait = found.values_list(F("submitted_at") - F("run__started_at"), flat=True).get()
    return float(wait.total_seconds())


def _answer_after(answer_ms: int) -> None:
    import requests  # noqa: PLC0415 (after own_servers)

    rule = {"on": "submit", "do": "slow", "delay_s": answer_ms / 1000, "times": None}
    answer = requests.post(f"{os.environ['FAL_BASE_URL']}/__emu__/plan", json={"rules": [rule]}, timeout=10)
    answer.raise_for_status()


if __name__ == "__main__":
    main()
