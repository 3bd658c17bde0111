"""A run as it moves, on stderr: a live table on a terminal, else one line a change."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli import asks, talk
from cli.words import why

_STYLES = {
    "queued": "dim",
    "running": "cyan",
    "waiting": "yellow",
    "done": "green",
    "failed": "red",
    "skipped": "dim",
    "canceled": "magenta",
}
_SIGNS = {"queued": "·", "running": "▸", "waiting": "‖", "done": "✓", "failed": "✗", "skipped": "○", "canceled": "■"}


class Display(Protocol):
    """Shows one snapshot after another."""

    def show(self, snapshot: Mapping[str, Any]) -> None:
        """The newest one."""
        ...


class Lines:
    """One line for each thing that changed: for logs and pipes."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, str]] = {}

    def show(self, snapshot: Mapping[str, Any]) -> None:
        """See Display."""
        rows = [(snapshot["run"]["runId"], snapshot["run"]), *((step["stepId"], step) for step in snapshot["steps"])]
        for name, row in rows:
            now = (str(row["status"]), why(row))
            if self._told.get(name) != now:
                self._told[name] = now
                talk.say(f"{datetime.now().astimezone():%H:%M:%S}  {name}  {now[0]}{f'  ({now[1]})' if now[1] else ''}")


class LiveTable:
    """Every step in a table that is redrawn where it stands."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, snapshot: Mapping[str, Any]) -> None:
        """See Display."""
        self._live.update(picture(snapshot, now_ms=time.time() * 1000))


@contextmanager
def display() -> Iterator[Display]:
    """The display that fits where stderr goes."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    with Live(console=Console(stderr=True), refresh_per_second=8, vertical_overflow="visible") as live:
        yield LiveTable(live)


def picture(snapshot: Mapping[str, Any], *, now_ms: float) -> RenderableType:
    """The run's line, and a row for each step."""
    table = Table(box=None, pad_edge=False, expand=False)
    for head in ("", "step", "kind", "provider"):
        table.add_column(head, no_wrap=True)
    table.add_column("progress", width=16)
    table.add_column("cost", justify="right", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("", ratio=1, min_width=24)
    for step in snapshot["steps"]:
        style = _STYLES.get(step["status"], "")
        table.add_row(
            Text(_SIGNS.get(step["status"], "?"), style),
            Text(step["stepId"], style),
            Text(step["kind"], "dim"),
            Text(step["provider"], "dim"),
            _bar(step),
            Text(talk.usd(step["actualUsd"]), "" if step["actualUsd"] is not None else "dim"),
            Text(_elapsed(step, now_ms), "dim"),
            Text(why(step) or ("" if step["status"] in {"running", "done"} else step["status"]), style),
        )
    return Group(_headline(snapshot["run"], now_ms), table)


def summary(snapshot: Mapping[str, Any], film: Mapping[str, Any] | None) -> list[str]:
    """How it ended: state, time and money; what the film is; what failed or waits, and what to do about it."""
    run = snapshot["run"]
    took = f" in {talk.span((run['finishedAt'] - run['startedAt']) / 1000)}" if run["finishedAt"] else ""
    spent = f"{talk.usd(run['costUsd'])} of {talk.usd(run['capUsd'])} spent"
    lines = [f"{run['zapSlug']}: {run['status']}{took}, {spent}. {run['runId']}"]
    if film is not None and film.get("durationS"):
        lines.append(f"  {film['width']}×{film['height']}, {film['durationS']:g} s, {film['sizeBytes'] / 1e6:.1f} MB")  # noqa: RUF001
    if (reason := why(run)) and not any(step.get("waits") for step in snapshot["steps"]):
        lines.append(f"  {reason}")
    for step in snapshot["steps"]:
        if step["error"] and step["status"] == "failed":
            lines.append(f"  {step['stepId']}: {why(step)}")
            if remedy := (step.get("errorDetail") or {}).get("remediation"):
                lines.append(f"    {remedy}")
    return [*lines, *asks.lines(snapshot)]


def _headline(run: Mapping[str, Any], now_ms: float) -> Text:
    spent = f"{talk.usd(run['costUsd'])} of {talk.usd(run['capUsd'])}"
    facts = (run["providerMode"], run["stage"], spent, _elapsed(run, now_ms), run["runId"])
    line = Text.assemble((run["zapSlug"], "bold"), "  ", (run["status"], _STYLES.get(run["status"], "")), "  ")
    line.append(" · ".join(facts), "dim")
    if reason := why(run):
        line.append(f"\n{reason}", "yellow")
    return line


def _bar(step: Mapping[str, Any]) -> RenderableType:
    if step["status"] == "running" and not step["progress"]:
        return ProgressBar(total=None, width=16, pulse=True)
    share = 1.0 if step["status"] == "done" else step["progress"] or 0.0
    return ProgressBar(total=1.0, completed=share, width=16)


def _elapsed(row: Mapping[str, Any], now_ms: float) -> str:
    if row["startedAt"] is None:
        return ""
    return talk.span(((row["finishedAt"] or now_ms) - row["startedAt"]) / 1000)
