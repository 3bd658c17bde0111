"""Play the providers on this machine: their own protocols, free of charge, with faults on request."""

import argparse
import json
import signal
from pathlib import Path

from cli import faults, talk
from cli.exits import Exit
from providers.emulator import Emulator, variable
from providers.transcript.page import Transcript, TranscriptInvalid


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
    parser.add_argument(
        "--transcript",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        dest="transcripts",
        help="play this transcript in its vendor's place, repeatable",
    )
    parser.add_argument("--json", action="store_true", help="print the base addresses as one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Serve until stopped."""
    transcripts = [_read(path) for path in args.transcripts]
    stops = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # also for the emulator's threads, so that sigwait gets them
    with Emulator(
        port=args.port, queue_s=args.queue_s, run_s=args.run_s, keep_s=args.keep_s, transcripts=transcripts
    ) as emulator:
        if args.json:
            talk.give(json.dumps(emulator.urls))  # one line: whoever reads it cannot wait for our end
        else:
            for name, url in emulator.urls.items():
                talk.give(f"{variable(name)}={url}")
            talk.say("ZAP_ALLOW_LOOPBACK=1 lets a live run use them. Ctrl-C stops.")
        signal.sigwait(stops)
    return Exit.DONE


def _read(path: Path) -> Transcript:
    try:
        return Transcript.read(path)
    except (OSError, UnicodeDecodeError, TranscriptInvalid) as exc:
        sentence = str(exc) if isinstance(exc, TranscriptInvalid) else "It cannot be read."
        raise faults.bad_input("TRANSCRIPT_INVALID", f"{path}: {sentence}") from None
