"""Runs a second through the whole engine: three steps on the instant mock, real workers and drain, real media.

./dev bench engine
"""

import statistics
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import _place as place


def main() -> None:
    options = place.arguments(__doc__, runs=400, workers=2, threads=4, alone=20)
    with place.own_servers(), ExitStack() as stack:
        for number in range(options.workers):
            command = place.worker("engine,results,media", threads=options.threads, name=f"engine{number}")
            stack.enter_context(place.process(*command))
        stack.enter_context(place.process(*place.worker("drain", threads=2, name="drain")))
        stack.enter_context(place.process(sys.executable, "-m", "bench._ring"))
        figures = measure(options)
        place.report(options, figures)


def measure(options: Any) -> dict[str, Any]:
    _finish(_start(8))  # workers are up, media are cached, connections are open
    alone = []
    for _ in range(options.alone):
        began = time.perf_counter()
        _finish(_start(1), every_s=0.002)
        alone.append((time.perf_counter() - began) * 1000)
    before = place.cpu_seconds()
    began = time.perf_counter()
    runs = _start(options.runs)
    started = time.perf_counter() - began
    _finish(runs)
    took = time.perf_counter() - began
    after = place.cpu_seconds()
    _check(runs)
    spent = {name: round((after[name] - before[name]) * 1000 / options.runs, 1) for name in after}
    return {
        "runs": options.runs,
        "steps a run": 3,
        "workers x threads": f"{options.workers} x {options.threads}",
        "seconds": round(took, 2),
        "of that, accepting them": round(started, 2),
        "runs/s": round(options.runs / took, 1),
        "processor ms a run": spent,
        "one alone, ms, median": round(statistics.median(alone), 1),
        "one alone, ms, worst": round(max(alone), 1),
    }


def _start(count: int) -> list[int]:
    from tests.factories import make_run, planned  # noqa: PLC0415 (after own_servers)

    steps = [planned("sketch"), planned("frame", "sketch"), planned("voice", kind="audio.tts", prompt="a lighthouse")]
    return [make_run(*steps).pk for _ in range(count)]


def _finish(runs: list[int], *, every_s: float = 0.02) -> None:
    from runs.models import Run  # noqa: PLC0415

    open_runs = Run.objects.filter(pk__in=runs).exclude(status__in=["done", "failed", "canceled"])
    place.wait_until(lambda: not open_runs.exists(), timeout_s=120, every_s=every_s)


def _check(runs: list[int]) -> None:
    from runs.models import Asset, Run  # noqa: PLC0415

    done = Run.objects.filter(pk__in=runs, status="done").count()
    assets = Asset.objects.filter(run_id__in=runs).count()
    if (done, assets) != (len(runs), 3 * len(runs)):
        sys.exit(f"{done} of {len(runs)} runs done, {assets} assets: the figures mean nothing.")


if __name__ == "__main__":
    main()
