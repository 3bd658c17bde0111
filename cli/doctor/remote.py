"""The server that ZAP_API_URL names, as far as it shows itself to this caller."""

import time
from collections.abc import Iterator

from cli.client import Client
from cli.doctor.findings import Finding, fail, of_fault, ok, warn
from cli.faults import Fault

_QUIET_S = 60


def looks(client: Client) -> Iterator[Finding]:
    """Does it answer, does it take our token, and, for staff, what it says of itself."""
    try:
        ready = client.call("GET", "/readyz")
    except Fault as exc:
        yield of_fault("server", exc)
        return
    yield ok("server", "It answers, and so does its database.")
    if ready.get("broker") != "ok":
        yield fail("broker", "The server's broker is down: runs go on slowly.", "Tell whoever keeps that server.")
    try:
        client.call("GET", "/api/runs?limit=1")
    except Fault as exc:
        yield of_fault("token", exc)
        return
    yield ok("token", "It is taken.")
    yield from _inside(client)


def _inside(client: Client) -> Iterator[Finding]:
    try:
        info = client.call("GET", "/api/info")
    except Fault:  # for staff only
        return
    last_ms = info["beat"]["lastCycleAt"]
    if last_ms is not None and time.time() - last_ms / 1000 < _QUIET_S:
        yield ok("drain", "It ran within the last minute.")
    else:
        yield warn("drain", "It has not run for a minute.", "Run `zap doctor` on the server's own machine.")
