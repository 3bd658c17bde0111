"""Find out what is wrong: with this machine, and with the installation or server that the settings name."""

import argparse
import importlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict

from cli import talk
from cli.client import connect
from cli.doctor import machine
from cli.doctor.findings import Finding, Level, Look, ok, see, warn
from cli.exits import Exit

_MACHINE: Mapping[str, Look] = {"python": machine.python, "packages": machine.packages, "ffmpeg": machine.ffmpeg}
NEED_TABLES = frozenset({"clock", "schedule", "keys", "prices"})
_MARKS = {Level.OK: "ok", Level.WARN: "warn", Level.FAIL: "FAIL"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 1 when something does not work; what is only unwise is told, and is no failure."""
    found = []
    for finding in _all():
        found.append(finding)
        if not args.json:
            _show(finding)
    failed = sum(one.level is Level.FAIL for one in found)
    if args.json:
        talk.give_json({"ok": not failed, "findings": [asdict(one) for one in found]})
    else:
        warned = sum(one.level is Level.WARN for one in found)
        talk.say(f"{failed} to mend, {warned} to look at." if failed or warned else "Everything is well.")
    return Exit.FAILED if failed else Exit.DONE


def _all() -> Iterator[Finding]:
    for check, look in _MACHINE.items():
        yield from see(check, look)
    if os.environ.get("ZAP_API_URL"):
        yield from see("server", lambda: importlib.import_module("cli.doctor.remote").looks(connect()))
        return
    begun = list(see("settings", _begin))
    yield from begun
    if _is_well(begun):
        yield from _installation()


def _installation() -> Iterator[Finding]:
    rooms = [importlib.import_module(f"cli.doctor.{room}") for room in ("processes", "holdings")]
    database, *rest = [pair for room in rooms for pair in room.LOOKS.items()]
    first = list(see(*database))
    yield from first
    # Without its tables these would only say so again, each after a time-out.
    left_out = frozenset() if _is_well(first) else NEED_TABLES
    for check, look in rest:
        if check not in left_out:
            yield from see(check, look)
    if left_out:
        yield warn("left out", f"Not looked at: {', '.join(sorted(left_out))}.", "Mend the database, and look again.")


def _is_well(findings: Iterable[Finding]) -> bool:
    return not any(one.level is Level.FAIL for one in findings)


def _begin() -> Iterator[Finding]:
    """Settings that can be read, and the servers that this machine starts itself."""
    importlib.import_module("cli.inprocess").set_up()
    yield ok("start", "The settings could be read.")


def _show(finding: Finding) -> None:
    talk.give(f"{_MARKS[finding.level]:<4}  {finding.check:<13}  {finding.message}")
    if finding.remedy:
        talk.give(f"{'':<4}  {'':<13}  -> {finding.remedy}")
