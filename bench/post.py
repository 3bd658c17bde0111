"""How many runs a second the HTTP interface accepts.

    ./dev bench post

Two uvicorn processes, an authenticated caller with a token, POST /api/zaps/run of a bundled recipe in mock mode, each
answered 202 with its run stored. No worker runs, so the figure is the interface's alone.
"""

import asyncio
import socket
import statistics
import sys
import time
from contextlib import ExitStack
from typing import Any

from bench import _place as place

BODY = {"slug": "hello-film", "mode": "mock"}


def main() -> None:
    options = place.arguments(__doc__, runs=1500, callers=16, processes=2)
    # One account asks as often as it can; its calls are counted all the same.
    with place.own_servers(ZAP_CALLS_PER_MINUTE="1000000"), ExitStack() as stack:
        port, token = free_port(), prepare()
        stack.enter_context(place.process(*server(port, options.processes), ZAP_DB_POOL="16"))
        figures = asyncio.run(measure(options, f"http://127.0.0.1:{port}", token))
        place.report(options, figures)


def server(port: int, processes: int) -> list[str]:
    where = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(processes), "--lifespan", "off"]
    quiet = ["--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "config.asgi:application", *where, *quiet]


def prepare() -> str:
    """The bundled recipes, and a token that may run them."""
    from django.contrib.auth.models import User  # noqa: PLC0415 (after own_servers)
    from django.core.management import call_command  # noqa: PLC0415

    from accounts.tokens import create_token  # noqa: PLC0415

    call_command("load_recipes", verbosity=0)
    return create_token(User.objects.create_user("bench"), "bench", ["read", "run"])[1]


async def measure(options: Any, address: str, token: str) -> dict[str, Any]:
    import aiohttp  # noqa: PLC0415 (after own_servers)

    took: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        await _ready(session, address)

        async def call(count: int) -> None:
            for _ in range(count):
                began = time.perf_counter()
                async with session.post(f"{address}/api/zaps/run", json=BODY) as answer:
                    if answer.status != 202:
                        sys.exit(f"{answer.status}: {await answer.text()}")
                took.append((time.perf_counter() - began) * 1000)

        await asyncio.gather(*(call(20) for _ in range(options.callers)))
        took.clear()
        before, began = place.cpu_seconds(), time.perf_counter()
        await asyncio.gather(*(call(options.runs // options.callers) for _ in range(options.callers)))
        seconds = time.perf_counter() - began
    after = place.cpu_seconds()
    return {
        "requests": len(took),
        "server processes": options.processes,
        "callers": options.callers,
        "requests/s": round(len(took) / seconds, 1),
        "ms, median": round(statistics.median(took), 1),
        "ms, 95th of 100": round(statistics.quantiles(took, n=100)[94], 1),
        "processor ms a request": {name: round((after[name] - before[name]) * 1000 / len(took), 2) for name in after},
    }


async def _ready(session: Any, address: str) -> None:
    for _ in range(300):
        try:
            async with session.get(f"{address}/healthz") as answer:
                if answer.status == 200:
                    return
        except OSError:
            pass
        await asyncio.sleep(0.1)
    sys.exit("The server did not come up.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
