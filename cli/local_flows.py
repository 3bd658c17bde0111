"""Flows on this machine, run without a server: what an author tries a step with."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flow_worker.commands import CannotRun, Surroundings, command_for
from flow_worker.outcome import Outcome
from flow_worker.packages import ROOTS, Found, Package, discover
from flow_worker.process import Running
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


def packages(roots: Sequence[Path] | None) -> Found:
    """The flows below these folders, or below the usual ones."""
    return discover(roots or [Path(root) for root in ROOTS])


def fire(event: Mapping[str, Any], found: Found, *, say: Callable[[str], None]) -> Iterator[Fired]:
    """Run every step that the event starts, one after the other. Raises BadInput for what is no event."""
    read = read_event(event, at=datetime.now(UTC))
    known = {**event, "receivedAt": read.received_at, "payload": read.payload}
    for package in found.packages:
        for step in package.manifest["steps"]:
            trigger = step.get("trigger")
            if trigger is None or trigger["type"] != read.type:
                continue
            schema = trigger.get("schemaJson")
            if schema is not None and (reason := misfit(json.dumps(schema), read.payload)):
                say(f"{package.name}/{step['name']} does not fit: {reason}")
                continue
            yield Fired(flow=package.name, step=step["name"], outcome=_run(package, step, known, say))


def _run(package: Package, step: Mapping[str, Any], event: Mapping[str, Any], say: Callable[[str], None]) -> Outcome:
    claim = {
        "flowName": package.name, "flowVersion": package.manifest["version"], "stepName": step["name"],
        "runner": step["runner"], "step": step, "config": package.manifest.get("config"), "event": event,
        "runId": "local", "attemptId": "local.1", "attemptNumber": 1, "replay": False,
    }  # fmt: skip
    transcript = Transcript(lambda pieces: say("".join(piece["text"] for piece in pieces).rstrip("\n")))
    try:
        command = command_for(claim, package, Surroundings())
        ended = Running(command, transcript.write).wait()
    except (CannotRun, OSError) as exc:
        return Outcome(error=str(exc))
    transcript.close()
    transcript.flush()
    return transcript.outcome(ended, timeout_s=command.timeout_s)
