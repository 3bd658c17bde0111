"""Stay with a run until it ends or waits for a person, and hand it over."""

import importlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from cli import exits, progress, talk
from cli.client import Client
from cli.exits import Exit
from cli.faults import Fault

if TYPE_CHECKING:
    from cli.workers import Helpers

_EVERY_S = 0.25  # in this process; over the network four times that
_PATIENCE_S = 60.0  # with a database or a server that is being started again
_STANDING = frozenset({"done", "failed", "canceled", "waiting"})


def follow(client: Client, run_id: str, *, as_json: bool) -> Exit:
    """Show the run until nothing moves without a person, then hand it over. Ctrl-C leaves it alive."""
    ended: Exit | None = None
    try:
        if _look(client, run_id)["run"]["status"] in _STANDING:
            return result(client, run_id, as_json=as_json, ended=True)
        with workers_for(client) as hands:
            with progress.display() as shown:
                _watch(client, run_id, shown, hands)
            # Workers take some seconds to end; nobody need wait for the film that long.
            ended = result(client, run_id, as_json=as_json, ended=True)
    except KeyboardInterrupt:
        if ended is not None:
            return ended
        talk.say(f"Detached; the run is kept and goes on with the next worker. Come back with: zap watch {run_id}")
        return result(client, run_id, as_json=as_json, ended=False)
    return ended


def workers_for(client: Client) -> "AbstractContextManager[Helpers | None]":
    """Workers for what is done on this machine; none for what a server does."""
    if not client.is_local:
        return nullcontext()
    hands: AbstractContextManager[Helpers] = importlib.import_module("cli.workers").helpers()
    return hands


def _watch(client: Client, run_id: str, shown: progress.Display, hands: "Helpers | None") -> None:
    silent_since: float | None = None
    while True:
        try:
            snapshot = _look(client, run_id)
        except Fault as exc:
            silent_since = silent_since or time.monotonic()
            if not exc.document.get("retryable") or time.monotonic() - silent_since > _PATIENCE_S:
                raise
        else:
            silent_since = None
            shown.show(snapshot)
            if snapshot["run"]["status"] in _STANDING:
                return
        if hands is not None:
            hands.look_after()
        time.sleep(_EVERY_S if client.is_local else 4 * _EVERY_S)


def _look(client: Client, run_id: str) -> dict[str, Any]:
    snapshot: dict[str, Any] = client.call("GET", f"/api/runs/{run_id}")
    return snapshot


def result(client: Client, run_id: str, *, as_json: bool, ended: bool) -> Exit:
    """Print the run as it is: one JSON document, or the film's place and a few words. Exit as it `ended`, else 0."""
    snapshot = with_paths(_look(client, run_id), client)
    if as_json:
        talk.give_json(snapshot)
    else:
        _tell(snapshot)
    return exits.of_run(snapshot["run"]) if ended else Exit.DONE


def with_paths(snapshot: dict[str, Any], client: Client) -> dict[str, Any]:
    """The snapshot whose assets have their `path` on this machine, where they are on it."""
    for asset in snapshot["assets"]:
        key = asset.get("storageKey")
        path = client.path_of(key) if key else None
        if path is not None:
            asset["path"] = path
    return snapshot


def _tell(snapshot: Mapping[str, Any]) -> None:
    run = snapshot["run"]
    film = next((asset for asset in snapshot["assets"] if run["zapUrl"] and asset["url"] == run["zapUrl"]), None)
    if run["zapUrl"]:
        talk.give((film or {}).get("path") or run["zapUrl"])
    else:
        talk.give(run["runId"])
    for line in progress.summary(snapshot, film):
        talk.say(line)
