"""Stop a run. What a provider is already busy with is told to stop, and billed truthfully."""

import argparse
from urllib.parse import quote

from cli import talk
from cli.client import connect
from cli.exits import Exit
from cli.follow import with_paths
from cli.progress import summary


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("run", metavar="RUN", help="a run's id")
    parser.add_argument("--json", action="store_true", help="print the run as one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it is canceled, 4 when it had ended before."""
    client = connect()
    snapshot = with_paths(client.call("POST", f"/api/runs/{quote(args.run, safe='')}/cancel"), client)
    if args.json:
        talk.give_json(snapshot)
    else:
        talk.give(snapshot["run"]["runId"])
        for line in summary(snapshot, None):
            talk.say(line)
    return Exit.DONE
