"""How long and how often the world is told. Seconds, unless the name says otherwise."""

import random
from datetime import timedelta

#: Between the tries of one delivery: about a day in all.
PAUSES_S = (5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800, 28_800)
MOST_TRIES = len(PAUSES_S) + 1
CONNECT_S, ANSWER_S = 3.0, 7.0  # so that a receiver has ten seconds for everything
MOST_ANSWER_BYTES = 1_000_000
LEASE_S = 60  # longer than any try can take
BELL_AGAIN_S = 30  # between two bells for the same delivery
SIDE_BY_SIDE = 4  # tries that one owner's deliveries have out at a time
REST_S = 300  # the longest pause of a receiver that fails again and again
IN_ORDER = timedelta(minutes=5)  # so long a later event of a run waits for an earlier one
OFF_AFTER = timedelta(days=3)  # a receiver that only ever failed for so long is told nothing more
OVERLAP = timedelta(days=1)  # so long a rotated secret signs beside the new one
MOST_ENDPOINTS = 10  # of one owner; those of single runs are not counted


def pause_s(tries: int, retry_after_s: float | None) -> float:
    """Before the next try, after `tries` of them, ± 10 %; never sooner than the receiver asked for."""
    wait = PAUSES_S[min(max(tries, 1), len(PAUSES_S)) - 1] * random.uniform(0.9, 1.1)  # noqa: S311
    return max(wait, retry_after_s or 0.0)


def rest_s(failures: int, retry_after_s: float | None) -> float:
    """How long a receiver is left alone after so many failures in a row: 2, 4, 8 … 300 s, or as long as it asked."""
    return max(min(2.0 ** min(failures, 10), float(REST_S)), retry_after_s or 0.0)
