"""The purchase, and what is told of it afterwards."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from cli import progress, talk
from cli.client import Client
from cli.smoke.choosing import Ready
from cli.smoke.expect import expected
from providers.transcript.compare import news
from providers.transcript.tape import Tape
from providers.transcript.writing import Facts, write_down

if TYPE_CHECKING:
    from cli.smoke.hands import Hands

_STANDING = frozenset({"done", "failed", "canceled", "waiting"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What came of it. `path` is the transcript's, None where nothing was heard; `news` what nobody had expected, None
    where nobody knows what to expect. `run` and `attempt` are as the interface and the tables show them.
    """

    run: Mapping[str, Any]
    ready: Ready
    outcome: str
    cost_usd: float | None
    cost_source: str
    calls: int
    path: Path | None
    news: list[str] | None

    def sentence(self) -> str:
        """How it ended and what it cost."""
        asked, run = self.ready.asked, self.run
        cost = "nothing is booked" if self.cost_usd is None else f"{talk.usd(self.cost_usd)} ({self.cost_source})"
        ended = run["status"] if self.outcome == run["status"] else f"{run['status']}, {self.outcome}"
        return f"{asked.provider}, {asked.model}: {ended}; {cost}; {self.calls} calls. {run['runId']}"

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        asked = self.ready.asked
        return {
            "runId": self.run["runId"],
            "status": self.run["status"],
            "outcome": self.outcome,
            "provider": asked.provider,
            "kind": asked.kind,
            "model": asked.model,
            "quotedUsd": self.ready.quoted_usd,
            "costUsd": self.cost_usd,
            "costSource": self.cost_source,
            "calls": self.calls,
            "transcript": str(self.path) if self.path else None,
            "news": self.news,
        }


def buy(client: Client, run_id: str, ready: Ready, *, out: Path | None) -> Bought:
    """Make the run here, and write down what was said."""
    hands: Hands = importlib.import_module("cli.smoke.hands").Hands(run_id)  # its tables can be imported only now
    with progress.display() as display:

        def is_over() -> bool:
            snapshot = client.call("GET", f"/api/runs/{run_id}")
            display.show(snapshot)
            return snapshot["run"]["status"] in _STANDING

        tape = hands.work(is_over)
    snapshot = client.call("GET", f"/api/runs/{run_id}")
    return _bought(hands, tape, snapshot, ready, out)


def _bought(hands: "Hands", tape: Tape, snapshot: Mapping[str, Any], ready: Ready, out: Path | None) -> Bought:
    run, step, attempt = snapshot["run"], snapshot["steps"][0], hands.attempt()
    outcome = "done" if run["status"] == "done" else step["error"] or step["waitReason"] or run["status"]
    path, told = None, None
    if attempt is not None and any(one.call.paid for one in tape.heard):
        facts = Facts(
            generation=hands.generation(attempt),
            recorded_on=datetime.now(UTC).date(),
            zaps=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
            outcome=outcome,
            quoted_usd=attempt.quote_usd,
            cost_usd=attempt.actual_usd,
        )
        transcript = write_down(tape, ready.provider, facts)
        path = out or Path(settings.ZAPS_DATA_DIR) / "transcripts" / f"{ready.asked.provider}-{run['runId']}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(transcript.text(), encoding="utf-8")
        believed = expected(ready.provider, facts)
        told = None if believed is None else news(transcript, believed)
    return Bought(
        run=run,
        ready=ready,
        outcome=outcome,
        cost_usd=step["actualUsd"],
        cost_source=attempt.cost_source if attempt else "",
        calls=len(tape.heard),
        path=path,
        news=told,
    )
