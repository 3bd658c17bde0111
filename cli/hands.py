"""What the verbs share that lay a hand on a run: their arguments, the one call, and staying until it stands still."""

import argparse
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli import consent, order
from cli.client import Client, connect
from cli.exits import Exit
from cli.follow import follow, result


def declare(parser: argparse.ArgumentParser, *, step: str = "", comment: bool = True) -> None:
    """The run, and how it is told; `step` is what the verb does without --step."""
    parser.add_argument("run", metavar="RUN", help="a run's id")
    if step:
        parser.add_argument("--step", metavar="S", help=f"a step's id; by default {step}")
    if comment:
        parser.add_argument("--comment", metavar="TEXT", help="why; it is kept with the run")
    parser.add_argument("--json", action="store_true", help="print the run as one JSON document")


def declare_waiting(parser: argparse.ArgumentParser) -> None:
    """The argument of a verb that goes on with the run."""
    parser.add_argument("--no-wait", action="store_true", help="come back at once")


def declare_money(parser: argparse.ArgumentParser, *, most_is: str = "the run's cap from now on") -> None:
    """The arguments of a verb that may cost more."""
    parser.add_argument("--max-usd", type=order.usd, metavar="X", help=most_is)
    consent.declare(parser)


def move(args: argparse.Namespace, verb: str, *, spends: bool = False, **said: Any) -> Exit:
    """Say it to the run, then stay with it. Exit as the run then stands; 0 with --no-wait. Raises Fault."""
    client = connect()
    if spends:
        consent.ask_for_rest(args, client.call("GET", path_of(args.run))["run"])
    tell(client, args.run, verb, **said)
    return stay(client, quote(args.run, safe=""), args)


def tell(client: Client, run_id: str, verb: str, **said: Any) -> dict[str, Any]:
    """The answer to one verb. What is None is left out. Repeated by the network, it is still done once."""
    answer: dict[str, Any] = client.call("POST", f"{path_of(run_id)}/{verb}", _given(said), key=str(uuid.uuid4()))
    return answer


def stay(client: Client, run_id: str, args: argparse.Namespace) -> Exit:
    """Follow the run, unless nobody wants to wait."""
    if args.no_wait:
        return result(client, run_id, as_json=args.json, ended=False)
    return follow(client, run_id, as_json=args.json)


def path_of(run_id: str) -> str:
    """Where the run is read."""
    return f"/api/runs/{quote(run_id, safe='')}"


def usd_of(args: argparse.Namespace) -> float | None:
    """--max-usd as JSON."""
    return None if args.max_usd is None else float(args.max_usd)


def _given(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}
