"""A flow run's output as it is written, until the run has ended."""

import sys
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from cli import talk
from cli.client import Client
from cli.exits import Exit
from cli.faults import Fault

_EVERY_S = 0.5
_PATIENCE_S = 60.0  # with a server that is being started again
_ERRORS = ("stderr", "system")


def tail(client: Client, run_id: str, *, as_json: bool) -> Exit:
    """Print what the step wrote and writes, its errors on stderr; exit 1 where the run did not end well."""
    path = f"/api/flows/runs/{quote(run_id, safe='')}"
    paper = _Nothing() if as_json else _Paper()
    begun = client.call("GET", path)["run"]
    if begun["status"] == "queued":
        talk.say(f"{_name(begun)} waits for {_WAITS[begun['waitsFor']]}.")
    pieces = _follow(client, path, paper)
    run = client.call("GET", path)["run"]
    if as_json:
        talk.give_json({"status": run["status"], "effectiveStatus": run["effectiveStatus"], "output": pieces})
    talk.say("\n".join(_ending(run)))
    return ended_well(run)


def ended_well(run: Mapping[str, Any]) -> Exit:
    """What a run that was waited for means to a shell; one that has not ended is no failure."""
    return Exit.FAILED if run["effectiveStatus"] in ("failed", "canceled") else Exit.DONE


class _Paper:
    """Where the output goes. Standard output holds the bytes of the step and nothing else."""

    def __init__(self) -> None:
        self._attempt, self._is_at_begin = 1, True

    def write(self, piece: Mapping[str, Any]) -> None:
        """One piece; where another attempt begins, a line on stderr says so."""
        if piece["attemptNumber"] != self._attempt:
            self._attempt = piece["attemptNumber"]
            self.end_line()
            talk.say(f"--- attempt {self._attempt} ---")
        print(piece["text"], end="", flush=True, file=sys.stderr if piece["kind"] in _ERRORS else sys.stdout)
        self._is_at_begin = piece["text"].endswith("\n")

    def end_line(self) -> None:
        """What is said next begins a line."""
        if not self._is_at_begin:
            talk.say("")
        self._is_at_begin = True


class _Nothing(_Paper):
    """For --json, which prints it all at the end."""

    def write(self, piece: Mapping[str, Any]) -> None:
        """Nothing."""


def _follow(client: Client, path: str, paper: _Paper) -> list[Mapping[str, Any]]:
    after, pieces = "", []
    while True:
        page = _patiently(client, f"{path}/output?{urlencode({'after': after})}")
        for piece in page["output"]:
            paper.write(piece)
        pieces += page["output"]
        after = page["next"]
        if not page["output"]:
            if page["isFinal"]:
                paper.end_line()
                return pieces
            time.sleep(_EVERY_S)


def _patiently(client: Client, path: str) -> Any:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return client.call("GET", path)
        except Fault as exc:
            if not exc.document.get("retryable") or time.monotonic() > until:
                raise
        time.sleep(_EVERY_S)


def _ending(run: Mapping[str, Any]) -> list[str]:
    told = [f"{_name(run)} {run['effectiveStatus']}."]
    told += [run["error"].partition("\n")[0]] if run.get("error") else []  # what follows is its output
    if any(attempt.get("outputIsCut") for attempt in run["attempts"]):
        told.append("It wrote more than is kept.")
    return told


def _name(run: Mapping[str, Any]) -> str:
    return f"{run['flowName']}/{run['stepName']}"


_WAITS = {"worker": "a worker", "due": "its time", "concurrency": "other runs of its concurrency key"}
