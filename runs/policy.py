"""How long things may take, and how often we look. Seconds, unless the name says otherwise."""

import random
from datetime import timedelta

from django.conf import settings

DEADLINE_S = 3600  # a job that the provider has not ended by then is given up
HOT_S = 10  # a young job is polled by its own task, then left to the drain
HOT_JOBS = 20  # and only while no more than this many are young
HOT_COUNTDOWN_S = 5.0
HOT_GRACE_S = 2.0  # the drain leaves a hot job alone for this long past its own next look
BELL_GRACE_S = 2  # a fresh row's own message gets this long before the drain rings again
BELL_AGAIN_S = 5  # and between two bells for the same row
FAIR_BELLS = 20  # messages of one tenant that wait for workers at a time, for each kind of work
CONNECT_S = 5.0
SUBMIT_TIMEOUT_S = 30.0  # what most providers may take to answer a submission
RUN_CHECK_S = 60  # an open run is looked at this often even if nothing rings
STEP_SLACK_S = 300  # a step may outlive its attempt's deadline by this
FETCH_S = 60.0  # in which all files that a submission needs from the web have to be here
SUBMIT_TRIES = 6  # sends that provably never arrived, before an attempt fails
LIMITED_TRIES = 64  # about an hour of a provider that only asks us to slow down
SETTLE_TRIES = 6
RENDER_TRIES = 3
JUDGE_TRIES = 4
BUDGET_AGAIN_S = 900  # a step that waits for a new day's budget asks for it this often
STORAGE_AGAIN_S = 30  # a step whose materials cannot be read asks for them this often
STOP_TRIES = 3  # a provider is told so often that a job is not wanted any more
ANSWER_KEPT_S = 600.0  # a provider's answer is held for a database that is away for this long
SEEK_S = 600.0  # a lost submission's job is looked for so long after it cannot be on its way any more
POLL_TIMEOUT_S = 10.0
ROOM_AGAIN_S = 1.0  # an attempt whose account has no room asks for it this often
WEBHOOK_CAP_S = 60.0  # the longest pause between two polls of a job whose provider will call
WEBHOOKS_KEPT = timedelta(days=7)  # providers repeat one for hours at most

_FIRST_LOOK_S = {"image": 1.0, "audio": 2.0, "video": 5.0}


def submit_lease_s(timeout_s: float = SUBMIT_TIMEOUT_S) -> int:
    """How long a submission may be out before its worker is taken for dead: longer by what its provider may take."""
    return int(settings.ZAP_SUBMIT_LEASE_S) + max(int(timeout_s - SUBMIT_TIMEOUT_S), 0)


def seek_again_s(age_s: float) -> float:
    """When to look again for a lost submission's job: after half its age, 2 to 60 s, ± 10 %."""
    return min(max(age_s / 2, 2.0), 60.0) * random.uniform(0.9, 1.1)  # noqa: S311


def poll_lease_s() -> int:
    """Longer than a poll's own time-out, so that a lease never ends while its poller is still talking."""
    return int(settings.ZAP_POLL_LEASE_S)


def work_lease_s() -> int:
    """For downloads and renders, which renew it as they go."""
    return int(settings.ZAP_WORK_LEASE_S)


def hot_span() -> timedelta:
    """How long after its acceptance a job counts as young."""
    return timedelta(seconds=HOT_S)


def next_look_s(
    capability: str, polls: int, retry_after_s: float | None = None, *, awaits_webhook: bool = False
) -> float:
    """When to poll again: 1, 2 or 5 s by what is made, half as much again each time, capped, ± 10 %.

    Never sooner than the provider asked for. Where its webhook is to come, polls are what finds a job if it does not.
    """
    cap = float(settings.ZAP_POLL_CAP_S)
    if awaits_webhook:
        cap = max(cap, WEBHOOK_CAP_S)
    first = _FIRST_LOOK_S.get(capability.split(".", 1)[0], 2.0)
    wait = min(first * 1.5 ** min(polls, 20), cap)
    wait *= random.uniform(0.9, 1.1)  # noqa: S311 (spreads load, guards nothing)
    return max(wait, retry_after_s or 0.0)


def backoff_s(tries: int, retry_after_s: float | None = None) -> float:
    """Before the same thing is tried again: 2, 4, 8 … 60 s, ± 10 %, never sooner than the provider asked for."""
    wait = min(2.0 * 2.0 ** max(tries - 1, 0), 60.0) * random.uniform(0.9, 1.1)  # noqa: S311
    return max(wait, min(retry_after_s or 0.0, 600.0))
