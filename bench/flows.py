"""How fast are flows: events against a thousand manifests, and claims, one by one and in batches?

    ./dev bench flows [--workers 8] [--seconds 5] [--runs 250000] [--finished 1000000]

The cost of a claim is taken from one process with ten thousand finished runs in the tables, and then with a million,
which stay there for the rest. Then worker processes do the same all at once.
Beside it Procrastinate fetches and finishes as many jobs on the same PostgreSQL. Each claim and each fetch is committed
for itself. A claim of ours also writes the attempt that holds the lease and brings its event along; a fetch of theirs
also writes an event, by a trigger, and its pool asks each connection whether it is alive.
"""

import importlib
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from bench import _flows as ours
from bench import _place as place

BATCH, FEW, ALONE = 100, 10_000, 1000


def main() -> None:
    options = place.arguments(__doc__, workers=8, seconds=5, runs=250_000, finished=1_000_000)
    with place.own_servers():
        place.report(options, measure(options))


def measure(options: Any) -> dict[str, Any]:
    from bench import _procrastinate as theirs  # noqa: PLC0415 (after own_servers)

    theirs.install()
    figures: dict[str, Any] = {}
    for name, many, more in (("few", FEW, FEW), ("many", options.finished, options.finished - FEW)):
        ours.fill(f"{name}done", more, done=True)
        ours.fill(f"{name}new", ALONE)
        theirs.fill(more, "succeeded")
        theirs.fill(ALONE)
        figures[f"a claim among {many:,} finished, ms"] = alone("_flows:claims")
        figures[f"  Procrastinate, a fetch among {many:,}, ms"] = alone("_procrastinate:fetches")
    ours.fill("work", options.runs)
    figures["single claims/s"] = at_once(options, "_flows:claims")
    theirs.fill(options.runs // 2)
    figures["  Procrastinate, fetches/s"] = at_once(options, "_procrastinate:fetches")
    figures["claim and complete, pairs/s"] = at_once(options, "_flows:pairs")
    figures["  Procrastinate, fetch and finish, pairs/s"] = at_once(options, "_procrastinate:pairs")
    figures[f"runs/s, claimed in batches of {BATCH}"] = at_once(options, "_flows:claims", BATCH)
    ours.sync()
    figures["events/s, 1,000 manifests, 5 runs each"] = at_once(options, "_flows:dispatches")
    return figures


def alone(work: str) -> str:
    """One after the other by this process."""
    once, took = _work(work)("alone", 1), []
    for _ in range(ALONE):
        began = time.perf_counter()
        if not once():
            sys.exit(f"{work}: nothing was there: the figures mean nothing.")
        took.append((time.perf_counter() - began) * 1000)
    return f"median {statistics.median(took):.2f}, p99 {statistics.quantiles(took, n=100)[98]:.2f}"


def at_once(options: Any, work: str, batch: int = 1) -> str:
    """A second, by all worker processes together, and what one costs the processor."""
    spawn = multiprocessing.get_context("spawn")
    answers, gate = spawn.Queue(), spawn.Barrier(options.workers + 1)
    asked = (work, batch, options.seconds, gate, answers)
    workers = [spawn.Process(target=worker, args=(number, *asked), daemon=True) for number in range(options.workers)]
    for process in workers:
        process.start()
    place.wait_until(lambda: gate.n_waiting == options.workers, timeout_s=120)
    before, began = place.cpu_seconds(), time.perf_counter()
    gate.wait(60)
    found = [answers.get() for _ in workers]
    took, after = time.perf_counter() - began, place.cpu_seconds()
    gate.wait(60)  # until here they live, and their processor time can be read
    for process in workers:
        process.join()
    if not all(found):
        sys.exit(f"{work}: there was not enough to do: the figures mean nothing.")
    done = sum(found)
    python, postgres = ((after[name] - before[name]) * 1e6 / done for name in ("python", "postgres"))
    return f"{done / took:,.0f} (processor µs each: Python {python:.0f}, PostgreSQL {postgres:.0f})"


def worker(number: int, work: str, batch: int, seconds: float, gate: Any, answers: Any) -> None:
    """One worker process: how much it has done when the time is over, or 0 where there was nothing to do."""
    import django  # noqa: PLC0415 (a process of its own)

    django.setup()
    once = _work(work)(f"w{number}", batch)
    for _ in range(3):
        once()  # the connection is open, and the statements are prepared
    gate.wait(120)
    ends, done, got = time.perf_counter() + seconds, 0, 1
    while got and time.perf_counter() < ends:
        got = once()
        done += got
    answers.put(done if got else 0)
    gate.wait(60)


def _work(name: str) -> Callable[[str, int], Callable[[], int]]:
    module, _, function = name.partition(":")
    found: Callable[[str, int], Callable[[], int]] = getattr(importlib.import_module(f"bench.{module}"), function)
    return found


if __name__ == "__main__":
    main()
