"""Buy the cheapest thing that a provider makes, and write down how it answered. It spends real money, once."""

import argparse
import uuid
from pathlib import Path

from cli import exits, faults, inprocess, order, talk
from cli.exits import Exit
from cli.smoke import buying, choosing
from cli.smoke.choosing import Ready


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("provider", metavar="PROVIDER", help="whose answers are to be seen")
    parser.add_argument("--max-usd", type=order.usd, required=True, metavar="X", help="refuse when it would cost more")
    parser.add_argument("--kind", metavar="K", help="what is made, such as video.gen; by default whatever is cheapest")
    parser.add_argument("--model", metavar="M", help="which model makes it; by default the cheapest")
    parser.add_argument("--out", type=Path, metavar="FILE", help="where the transcript goes; else the data folder")
    parser.add_argument("--yes", action="store_true", help="spend without asking")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run ended."""
    inprocess.stand_here()
    client = inprocess.enter()
    ready = choosing.choose(args, client)
    for line in choosing.lines(ready):
        talk.say(line)
    choosing.require_consent(args, ready)
    accepted = client.call("POST", "/api/zaps/run", {**ready.body, "mode": "live"}, key=str(uuid.uuid4()))
    done = buying.buy(client, accepted["runId"], ready, out=args.out)
    if args.json:
        talk.give_json(done.document())
    else:
        _tell(done, ready)
    if done.path is None and done.run["status"] == "done":
        raise faults.fault(
            "NOTHING_RECORDED",
            "Somebody else's worker made the run, so nothing of it was heard.",
            exit_code=Exit.FAILED,
            remediation="End the workers of this database, and try again.",
        )
    return exits.of_run(done.run)


def _tell(done: "buying.Bought", ready: Ready) -> None:
    talk.say(done.sentence())
    if done.news is not None:
        for one in done.news or ["It answered in every way as the emulator does."]:
            talk.say(f"  {one}")
    if done.path is not None:
        talk.give(str(done.path))
