"""Flows on this machine, run without a server: what an author tries a step with."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli import faults, talk
from flow_worker.commands import CannotRun, Surroundings, command_for
from flow_worker.outcome import Outcome
from flow_worker.packages import ROOTS, Package, discover
from flow_worker.process import Ended, Running
from flow_worker.transcript import Transcript
from flows.event import read_event
from flows.schemas import misfit


@dataclass(frozen=True, slots=True, kw_only=True)
class Fired:
    """How one step came out."""

    flow: str
    step: str
    outcome: Outcome

    def document(self) -> dict[str, Any]:
        """As it is printed."""
        said = {"error": self.outcome.error} if self.outcome.result is None else {"result": self.outcome.result}
        return {"flow": self.flow, "step": self.step, **said}


def packages(roots: Sequence[Path] | None, *, say: Callable[[str], None]) -> Sequence[Package]:
    """The flows below these folders, or below the usual ones; what is left out is told. Raises Fault for no folder."""
    for root in roots or ():
        if not root.is_dir():
            raise faults.bad_input("FOLDER_MISSING", f"There is no folder {str(root)!r}.")
    found = discover(roots or [Path(root) for root in ROOTS])
    for sentence in found.broken:
        say(f"Left out: {sentence}")
    return found.packages


def where(roots: Sequence[Path] | None) -> str:
    """The folders, in words."""
    return " and ".join(map(str, roots or ROOTS))


def fire(event: Mapping[str, Any], found: Sequence[Package]) -> Iterator[Fired]:
    """Run every step that the event starts, one after the other, and show what it writes on stderr.

    Raises BadInput for what is no event.
    """
    read = read_event(event, at=datetime.now(UTC))
    known = {**event, "receivedAt": read.received_at, "payload": read.payload}
    for package in found:
        for step in package.manifest["steps"]:
            trigger = step.get("trigger")
            if trigger is None or trigger["type"] != read.type:
                continue
            name = f"{package.name}/{step['name']}"
            schema = trigger.get("schemaJson")
            if schema is not None and (reason := misfit(json.dumps(schema), read.payload)):
                talk.say(f"{name} does not fit: {reason}")
                continue
            outcome = _run(package, step, known, Labelled(name))
            talk.say(f"{name} {'failed' if outcome.result is None else outcome.result['status']}.")
            yield Fired(flow=package.name, step=step["name"], outcome=outcome)


class Labelled:
    """Output on stderr as it comes, each line behind the name of its step."""

    def __init__(self, name: str) -> None:
        self._label, self._kind, self._is_at_begin = f"{name} | ", "", True

    def write(self, pieces: Sequence[Mapping[str, Any]]) -> None:
        """What was written; two streams share no line."""
        for piece in pieces:
            if piece["kind"] != self._kind:
                self.end_line()
                self._kind = piece["kind"]
            for line in piece["text"].splitlines(keepends=True):
                sys.stderr.write(f"{self._label if self._is_at_begin else ''}{line}")
                self._is_at_begin = line.endswith("\n")
        sys.stderr.flush()

    def end_line(self) -> None:
        """What is said next begins a line."""
        if not self._is_at_begin:
            talk.say("")
        self._is_at_begin = True


def _run(package: Package, step: Mapping[str, Any], event: Mapping[str, Any], paper: Labelled) -> Outcome:
    claim = {
        "flowName": package.name, "flowVersion": package.manifest["version"], "stepName": step["name"],
        "runner": step["runner"], "step": step, "config": package.manifest.get("config"), "event": event,
        "runId": "local", "attemptId": "local.1", "attemptNumber": 1, "replay": False,
    }  # fmt: skip
    transcript = Transcript(paper.write)

    def write(kind: str, text: str) -> None:
        transcript.write(kind, text)
        transcript.flush()

    try:
        command = command_for(claim, package, Surroundings())
        ended = _wait(Running(command, write))
    except (CannotRun, OSError) as exc:
        return Outcome(error=str(exc))
    paper.end_line()
    transcript.close()
    return transcript.outcome(ended, timeout_s=command.timeout_s)


def _wait(running: Running) -> Ended:
    """Until it has ended. Ctrl-C does not reach the group of its own that it runs in, so we end it."""
    try:
        return running.wait()
    except KeyboardInterrupt:
        running.stop()
        running.wait()
        raise
