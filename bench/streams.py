"""A thousand open streams on one web process: how long after its commit do browsers see a change, and at what cost?

    ./dev bench streams [--streams 1000] [--runs 100] [--seconds 20] [--rate 20]

One uvicorn process as `./dev up` runs it; runs are moved by real transitions. First all streams watch one run,
then they are spread over many, then Redis is stopped. The lag counts from before the transaction to the browser's end
of the socket; the browsers are one process beside the server and share the machine with it.
"""

import asyncio
import os
import random
import re
import resource
import statistics
import sys
import time
from collections.abc import Awaitable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from bench import _place as place
from bench.post import _ready, free_port
from embedded.servers import hold
from embedded.stack import web as web_server

_ID = re.compile(rb"id: (\d+)\nevent: snapshot\n")
_LONGEST_ID = 50


def main() -> None:
    options = place.arguments(__doc__, streams=1000, runs=100, seconds=20, rate=20)
    limits = {"ZAP_STREAMS_PER_CALLER": "0", "ZAP_CALLS_PER_MINUTE": "0"}
    with place.own_servers(**limits), ExitStack() as stack:
        port = free_port()
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        runs, token = prepare(options.runs)
        web = stack.enter_context(place.process(*web_server("127.0.0.1", port).command))
        figures = asyncio.run(measure(options, f"http://127.0.0.1:{port}", token, runs, psutil.Process(web.pid)))
        place.report(options, figures)


def prepare(count: int) -> tuple[list[Any], str]:
    """Runs at work, and a token of their owner."""
    from django.contrib.auth.models import User  # noqa: PLC0415 (after own_servers)

    from accounts.tokens import create_token  # noqa: PLC0415
    from tests.factories import make_run, planned  # noqa: PLC0415

    owner = User.objects.create_user("bench")
    steps = [planned("sketch"), planned("frame", "sketch"), planned("voice", kind="audio.tts", prompt="a lighthouse")]
    return [make_run(*steps, owner=owner) for _ in range(count)], create_token(owner, "bench", ["read"])[1]


class Watch:
    """What all streams are sent, and when."""

    def __init__(self) -> None:
        self.committed: dict[tuple[int, int], float] = {}
        self.seen: list[tuple[int, int, int, float]] = []  # run, revisions after this one, up to this one, when
        self.streams: list[asyncio.Task[None]] = []
        self.shown = 0

    async def open(self, options: Any, session: Any, address: str, runs: list[Any]) -> float:
        """As many streams as asked for, 200 a second. Seconds until each has shown its run."""
        began = time.perf_counter()
        for number in range(options.streams):
            path = f"{address}/api/runs/{runs[number % len(runs)].run_id}/events"
            self.streams.append(asyncio.create_task(self._follow(session, path, runs[number % len(runs)].pk)))
            await asyncio.sleep(0.005)
        while self.shown < options.streams:
            await asyncio.sleep(0.05)
        return time.perf_counter() - began

    async def _follow(self, session: Any, path: str, pk: int) -> None:
        newest, rest = 0, b""
        async with session.get(path) as answer:
            if answer.status != 200:
                sys.exit(f"{answer.status}: {await answer.text()}")
            async for part in answer.content.iter_any():
                now, rest = time.perf_counter(), rest + part
                for revision in map(int, _ID.findall(rest)):
                    if newest:
                        self.seen.append((pk, newest, revision, now))
                    else:
                        self.shown += 1
                    newest = revision
                rest = rest[-_LONGEST_ID:] if not _ID.search(rest[-_LONGEST_ID:]) else b""

    async def close(self) -> None:
        if broken := sum(stream.done() for stream in self.streams):
            sys.exit(f"{broken} streams broke: the figures mean nothing.")
        for stream in self.streams:
            stream.cancel()
        await asyncio.gather(*self.streams, return_exceptions=True)

    def lags(self) -> str:
        """From before each commit until each stream showed it: one event may show several changes."""
        found = [
            (when - self.committed[pk, revision]) * 1000
            for pk, before, upto, when in self.seen
            for revision in range(before + 1, upto + 1)
        ]
        self.seen.clear()
        cuts = statistics.quantiles(found, n=100)
        return f"p50 {cuts[49]:.0f}, p95 {cuts[94]:.0f}, p99 {cuts[98]:.0f}, worst {max(found):.0f} of {len(found)}"


async def measure(options: Any, address: str, token: str, runs: list[Any], web: psutil.Process) -> dict[str, Any]:
    import aiohttp  # noqa: PLC0415 (after own_servers)

    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
        await _ready(session, address)
        one, bare = Watch(), web.memory_info().rss
        await one.open(options, session, address, runs[:1])
        burst, burst_cpu = await _moved(options, one, runs[:1], web, rate=2)
        await one.close()
        many = Watch()
        opened = await many.open(options, session, address, runs)
        grown, threads = web.memory_info().rss - bare, web.num_threads()
        idle = await _cpu(web, asyncio.sleep(5))
        told, told_cpu = await _moved(options, many, runs, web, rate=options.rate)
        hold(Path(os.environ["ZAPS_DATA_DIR"])).stop("valkey")
        alone, alone_cpu = await _moved(options, many, runs, web, rate=options.rate)
        await many.close()
    return {
        "streams": options.streams,
        "seconds to open them": round(opened, 1),
        "memory a stream, KB": round(grown / options.streams / 1024, 1),
        "threads": threads,
        "cpu, nothing changes": idle,
        f"{options.runs} runs, {options.rate} changes/s, ms": told,
        "  cpu": told_cpu,
        "all on one run, 2/s, ms": burst,
        "  cpu ": burst_cpu,
        "without Redis, ms": alone,
        "  cpu  ": alone_cpu,
    }


async def _moved(options: Any, watch: Watch, runs: list[Any], web: psutil.Process, *, rate: int) -> tuple[str, str]:
    """The lags while the runs are moved, and the processor time of the web process."""

    async def move() -> None:
        ends = time.perf_counter() + options.seconds
        while time.perf_counter() < ends:
            await asyncio.to_thread(_move, watch, random.choice(runs).pk)
            await asyncio.sleep(random.expovariate(rate))
        await asyncio.sleep(2)

    cpu = await _cpu(web, move())
    return watch.lags(), cpu


def _move(watch: Watch, pk: int) -> None:
    """A real transition: one more event of the run."""
    from runs.transitions import moving  # noqa: PLC0415 (after own_servers)

    began = time.perf_counter()
    with moving(pk) as moves:
        moves.said("bench", "frame")
        watch.committed[pk, moves.run.revision + 1] = began


async def _cpu(web: psutil.Process, work: Awaitable[None]) -> str:
    """Of one core, while the work lasts."""
    before, began = sum(web.cpu_times()[:2]), time.perf_counter()
    await work
    return f"{(sum(web.cpu_times()[:2]) - before) / (time.perf_counter() - began):.0%}"


if __name__ == "__main__":
    main()
