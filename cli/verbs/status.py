"""Show one run, or the newest runs."""

import argparse
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli import talk
from cli.client import connect
from cli.exits import Exit
from cli.follow import with_paths
from cli.progress import summary
from cli.words import why


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("run", nargs="?", metavar="RUN", help="a run's id; without it, the newest runs")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many runs, at most 100")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 however the run stands: it was shown."""
    client = connect()
    if args.run is None:
        page = client.call("GET", f"/api/runs?limit={args.limit}")
        if args.json:
            talk.give_json(page)
        else:
            _list(page["runs"])
        return Exit.DONE
    snapshot = with_paths(client.call("GET", f"/api/runs/{quote(args.run, safe='')}"), client)
    if args.json:
        talk.give_json(snapshot)
    else:
        _show(snapshot)
    return Exit.DONE


def _list(runs: list[Mapping[str, Any]]) -> None:
    if not runs:
        talk.say("There are no runs yet. `zap run RECIPE` makes one.")
        return
    head = ("run", "recipe", "status", "stage", "mode", "cost", "started")
    rows = [
        (
            one["runId"],
            one["zapSlug"],
            one["status"],
            one["stage"],
            one["providerMode"],
            talk.usd(one["costUsd"]),
            talk.moment(one["startedAt"]),
        )
        for one in runs
    ]
    talk.give(talk.columns([head, *rows]))


def _show(snapshot: Mapping[str, Any]) -> None:
    head = ("step", "status", "provider", "cost", "why")
    rows = [
        (step["stepId"], step["status"], step["provider"], talk.usd(step["actualUsd"]), why(step))
        for step in snapshot["steps"]
    ]
    for line in summary(snapshot, None):
        talk.give(line)
    talk.give(talk.columns([head, *rows]))
    for asset in snapshot["assets"]:
        talk.give(f"{asset['stepId']}  {asset['kind']}  {asset.get('path') or asset['url']}")
