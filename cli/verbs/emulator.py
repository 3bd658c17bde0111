"""Play the providers on this machine: their own protocols, free of charge, with faults on request."""

import argparse
import json
import signal

from cli import talk
from cli.exits import Exit
from providers.emulator import Emulator, variable


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="the first provider's port; 0 takes any free one"
    )
    parser.add_argument("--queue-s", type=float, default=0.5, metavar="S", help="seconds that a job waits")
    parser.add_argument("--run-s", type=float, default=2.0, metavar="S", help="seconds that a job runs")
    parser.add_argument(
        "--keep-s", type=float, metavar="S", help="seconds after which a result is gone; without it, never"
    )
    parser.add_argument("--json", action="store_true", help="print the base addresses as one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Serve until stopped."""
    stops = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # also for the emulator's threads, so that sigwait gets them
    with Emulator(port=args.port, queue_s=args.queue_s, run_s=args.run_s, keep_s=args.keep_s) as emulator:
        if args.json:
            talk.give(json.dumps(emulator.urls))  # one line: whoever reads it cannot wait for our end
        else:
            for name, url in emulator.urls.items():
                talk.give(f"{variable(name)}={url}")
            talk.say("ZAP_ALLOW_LOOPBACK=1 lets a live run use them. Ctrl-C stops.")
        signal.sigwait(stops)
    return Exit.DONE
