"""Where a measurement happens: servers of its own, real workers, and a description of the machine."""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent


def arguments(about: str, **defaults: int) -> argparse.Namespace:
    """The command line of a bench: its numbers, and --json."""
    parser = argparse.ArgumentParser(description=about)
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    return parser.parse_args()


@contextmanager
def own_servers(**environment: str) -> Iterator[None]:
    """A fresh PostgreSQL and Valkey for this bench, with the tables in place and Django ready."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="zaps-bench-") as folder:
        os.environ |= {
            "ZAPS_DATA_DIR": folder,
            "DEBUG": "0",
            "ZAP_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            **environment,
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, check=True)
        import django  # noqa: PLC0415 (settings read the environment above)

        django.setup()
        yield


@contextmanager
def process(*command: str, stdout: int | None = None, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A child for as long as the block lasts."""
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=stdout, text=True)
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            child.kill()


def worker(queues: str, *, threads: int, name: str) -> list[str]:
    """The command of one Celery worker."""
    options = ["-Q", queues, "-P", "threads", "-c", str(threads), "-n", f"{name}@%h", "-l", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return [sys.executable, "-m", "celery", "-A", "config", "worker", *options, *quiet]


def wait_until(done: Any, *, timeout_s: float, every_s: float = 0.02) -> float:
    """Seconds until `done()` was true. Raises TimeoutError."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > timeout_s:
            raise TimeoutError
        time.sleep(every_s)
    return time.perf_counter() - began


def execute(statement: str, **values: Any) -> None:
    """One statement, committed."""
    from django.db import connection  # noqa: PLC0415 (after own_servers)

    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def cpu_seconds() -> dict[str, float]:
    """Processor seconds so far, by program: this bench, its Python children, PostgreSQL, Valkey."""
    spent = {"bench": time.process_time(), "python": 0.0, "postgres": 0.0, "valkey": 0.0}
    for child in _ours():
        try:
            times, name = child.cpu_times(), child.name()
        except psutil.Error:
            continue
        kind = next((kind for kind in ("postgres", "valkey") if kind in name), "python")
        spent[kind] += times.user + times.system
    return spent


def _ours() -> list[psutil.Process]:
    """Our children, and the servers, which belong to the keeper of our data folder."""
    folder = os.environ["ZAPS_DATA_DIR"]
    found = psutil.Process().children(recursive=True)
    for candidate in psutil.process_iter(["cmdline"]):
        if folder in " ".join(candidate.info["cmdline"] or []):
            found += [candidate, *candidate.children(recursive=True)]
    return list({child.pid: child for child in found if child.pid != os.getpid()}.values())


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    from django.db import connection  # noqa: PLC0415 (after own_servers)

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgres,) = cursor.fetchone()
    packages = {name: version(name) for name in ("django", "celery", "psycopg", "aiohttp", "uvicorn")}
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": postgres,
        **packages,
    }


def report(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Print the machine and the figures."""
    document = {"machine": machine(), "figures": figures}
    if options.json:
        print(json.dumps(document))
        return
    for part, values in document.items():
        print(part)
        for name, value in values.items():
            print(f"  {name:<28} {value}")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()
