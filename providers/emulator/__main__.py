"""`python -m providers.emulator`: serve until stopped. The first line says where each vendor is."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence

from providers.emulator.server import Emulator, variable


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, print the base URLs, wait for SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="zap emulator", description="Play the providers on this machine.")
    parser.add_argument("--port", type=int, default=0, help="the first vendor's port; 0 takes any free one")
    parser.add_argument("--queue-s", type=float, default=0.5, help="seconds that a job waits")
    parser.add_argument("--run-s", type=float, default=2.0, help="seconds that a job runs")
    parser.add_argument("--keep-s", type=float, default=None, help="seconds after which a result is gone")
    parser.add_argument("--json", action="store_true", help="print the base URLs as one JSON document")
    options = parser.parse_args(arguments)
    stops = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # also for the emulator's thread, so that sigwait gets them
    with Emulator(port=options.port, queue_s=options.queue_s, run_s=options.run_s, keep_s=options.keep_s) as emulator:
        text = json.dumps(emulator.urls) if options.json else _for_people(emulator.urls)
        print(text, flush=True)  # noqa: T201  # it is what this command is for
        signal.sigwait(stops)
    return 0


def _for_people(urls: dict[str, str]) -> str:
    return "\n".join(f"{variable(name)}={url}" for name, url in urls.items())


if __name__ == "__main__":
    sys.exit(main())
