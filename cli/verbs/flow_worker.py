"""Carry out the steps of the flows on this machine, for a server elsewhere or for this one."""

import argparse
import logging
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cli import faults, talk
from cli.client import Client, connect
from cli.exits import Exit
from cli.local_flows import packages, where
from flow_worker.backend import Backend, Refused, Unreachable
from flow_worker.commands import RUNNERS, Surroundings, runners_here
from flow_worker.packages import ROOTS
from flow_worker.worker import Options, Worker


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    add = parser.add_argument
    add(
        "--root", type=Path, action="append", metavar="DIR", help=f"where flows are; {' and '.join(ROOTS)} unless given"
    )
    add("--slots", type=int, default=1, metavar="N", help="how many steps run at once; 1 unless given")
    add(
        "--runner",
        action="append",
        choices=RUNNERS,
        help="take only such steps; all that this machine can run unless given",
    )
    add("--label", action="append", default=[], metavar="WORD", help="what this machine offers")
    add(
        "--env", action="append", default=[], metavar="NAME", help="a variable that steps may see, beside PATH and HOME"
    )
    add("--code-mode", metavar="COMMAND", help="take code-mode steps, too, and run their scripts by this command")
    add(
        "--drain-s",
        type=float,
        default=30.0,
        metavar="S",
        help="how long steps may go on after a TERM, or until a second one; 30 unless given",
    )
    add(
        "--lease-s",
        type=float,
        default=60.0,
        metavar="S",
        help="how long the server waits for a worker that is lost; 10 to 1800, 60 unless given",
    )
    add("--once", action="store_true", help="end when nothing is left to do")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 after a TERM or Ctrl-C, or with --once when nothing is left.

    Raises Fault where there are no flows, where the server does not let us in, and with --once where it cannot be
    reached.
    """
    options = _options(args)
    if not packages(args.root, say=lambda _: None):  # what is left out, the worker says
        raise faults.bad_input(
            "FLOWS_MISSING", f"There are no flows below {where(args.root)}.", "`zap docs flows` begins with one."
        )
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    worker = Worker(Backend(_through(connect())), options)
    logging.getLogger("flow_worker").setLevel(logging.INFO)  # on this machine's own server only warnings are logged
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    try:
        worker.run()
    except (Refused, Unreachable) as exc:
        if isinstance(exc.__cause__, faults.Fault):
            raise exc.__cause__ from None
        raise
    finally:
        talk.say(f"{worker.done} {'attempt' if worker.done == 1 else 'attempts'} done.")
    return Exit.DONE


def _options(args: argparse.Namespace) -> Options:
    if not 1 <= args.slots <= 1000:
        raise faults.bad_input("USAGE", "--slots is from 1 to 1000.")
    if not 10 <= args.lease_s <= 1800:
        raise faults.bad_input("USAGE", "--lease-s is from 10 to 1800.")
    if not 0 <= args.drain_s <= 86_400:
        raise faults.bad_input("USAGE", "--drain-s is from 0 to 86400 seconds.")
    try:
        code_mode = tuple(shlex.split(args.code_mode or ""))
    except ValueError as exc:
        raise faults.bad_input("USAGE", f"--code-mode cannot be read as a command: {exc}.") from None
    runners = [*(args.runner or runners_here()), *(["code-mode"] if code_mode else [])]
    return Options(
        roots=args.root or [Path(root) for root in ROOTS],
        slots=args.slots,
        runners=runners,
        labels=args.label,
        lease_ms=int(args.lease_s * 1000),
        drain_s=args.drain_s,
        once=args.once,
        around=Surroundings(pass_on=tuple(args.env), code_mode=code_mode),
    )


def _through(client: Client) -> Any:
    """The worker's calls, by the client that every verb uses."""

    def call(method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = client.call(method, f"/api/flows/{path}", dict(body))
        except faults.Fault as exc:
            status = int(exc.document.get("status") or 503)
            if status >= 500 or status == 429:
                raise Unreachable(str(exc)) from exc
            why = "; ".join(faults.problem_line(problem) for problem in exc.document.get("errors", ()))
            raise Refused(status, exc.document["code"], f"{exc} {why}".strip()) from exc
        return answer

    return call
