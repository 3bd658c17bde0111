"""Run one cycle of the drain in this process; where ZAP_POLL_DRAIN_URL is set, ask that address instead."""

import argparse
import importlib

from django.conf import settings

from cli import inprocess, talk
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument(
        "--window", type=float, default=5.0, metavar="S", help="how long to go on, in seconds (default 5)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 1 when the cycle did nothing but fail."""
    inprocess.stand_here()
    drain = importlib.import_module("runs.engine.drain")  # its tables can be imported only now
    if settings.ZAP_POLL_DRAIN_URL:
        report = drain.run_scheduled()
    else:
        report = drain.run_alone(window_s=max(args.window, 0.0), job_name="cli")
    if args.json:
        talk.give_json(
            {
                "status": report.status,
                "processedCount": report.processed,
                "errorCount": report.errors,
                "error": report.last_error or None,
                "results": report.results,
            }
        )
    else:
        talk.give(f"{report.status}: {report.processed} dealt with, {report.errors} errors")
    if report.last_error:
        talk.say(report.last_error)
    drain.wait_for_hands()
    return Exit.FAILED if report.status == "failed" else Exit.DONE
