"""The drain: whatever is due, found in the database, for one window of time.

Polls are made by the thousand on one event loop that lives as long as its process; everything else that is due gets
its bell rung again, or, where there is no broker, is done here.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from django.conf import settings
from django.db import connection

from core.errors import StaleState, ZapsError
from providers import http
from runs import dispatch, heralds, neighbours
from runs.engine import cron_logs
from runs.engine.advance import advance_run
from runs.engine.cron_logs import CycleReport
from runs.engine.poller import POLLER
from runs.engine.render import render_attempt
from runs.engine.settle import settle_attempt
from runs.engine.submit import submission_unknown_of, submit_attempt
from runs.states import AttemptStatus
from runs.transitions import bells
from runs.transitions.bells import Bell
from zaps.planned import LOCAL

logger = logging.getLogger(__name__)

BELLS = 500  # at most so many bells a look
BELL_EVERY_S = 0.25
BELL_SOON_S = 0.05  # while there is work that waits for its turn


def run_scheduled() -> CycleReport:
    """What the schedule asks for: a cycle here, or, where ZAP_POLL_DRAIN_URL is set, a request to that address."""
    if settings.ZAP_POLL_DRAIN_URL:
        return ask_endpoint()
    return run_cycle(window_s=settings.ZAP_DRAIN_WINDOW_S, job_name="drain")


def ask_endpoint() -> CycleReport:
    """POST to the drain endpoint with the secret, and log what it answered."""
    with cron_logs.cycle("drain-endpoint", at_most_s=60) as report:
        try:
            answer = http.post_json(
                settings.ZAP_POLL_DRAIN_URL, headers={"x-zap-cron-secret": settings.ZAP_POLL_DRAIN_SECRET}, timeout_s=60
            )
        except ZapsError as exc:
            report.note_error(f"{exc.code}: the drain endpoint refused or could not be reached.")
            return report
        report.processed = int(answer.get("processedCount", 0))
        report.errors = int(answer.get("errorCount", 0))
    return report


def run_cycle(*, window_s: float, job_name: str) -> CycleReport:
    """Drain until the window ends. Any number may run at once; they never take the same row."""
    with cron_logs.cycle(job_name, at_most_s=window_s) as report:
        _drain_for(window_s, report)
    return report


def run_alone(*, window_s: float, job_name: str) -> CycleReport:
    """The same where no beat may be: whoever starts runs by itself looks first, whom beat rings for else."""
    with cron_logs.cycle(job_name, at_most_s=window_s) as report:
        _let_others_look(report)
        _drain_for(window_s, report)
    return report


def _drain_for(window_s: float, report: CycleReport) -> None:
    ends = time.monotonic() + window_s
    polling = POLLER.drain_until(ends, report)
    while True:
        pause_s = BELL_SOON_S if ring_due(report) else BELL_EVERY_S
        left = ends - time.monotonic()
        if left <= 0 or POLLER.stopping.wait(min(pause_s, left)):
            break
    polling.result()


def _let_others_look(report: CycleReport) -> None:
    for neighbour in neighbours.neighbours():
        try:
            report.processed += neighbour.look()
        except Exception as exc:  # whoever starts runs must not stop those that were started
            logger.exception("neighbour=%s look=broken", neighbour.name)
            report.note_error(f"{type(exc).__name__}: {neighbour.name}")


def ring_due(report: CycleReport) -> int:
    """Ring once for everything, besides polls, that is due and was not taken up. Returns for how much that was."""
    attempts, runs = bells.claim_bells(BELLS), bells.claim_due_runs(BELLS)
    for bell in attempts:
        _do(report, bell.idem_key, _verb(bell))
    for run_pk in runs:
        _do(report, f"run {run_pk}", _advance(run_pk))
    told = _ring_for_others(report)
    return len(attempts) + len(runs) + told


def _ring_for_others(report: CycleReport) -> int:
    try:
        subjects = heralds.herald().ring_due(BELLS)
    except Exception as exc:  # whoever tells the world must not stop the work
        logger.exception("heralds drain=broken")
        report.note_error(f"{type(exc).__name__}: heralds")
        return 0
    for subject in subjects:
        report.note(kind="bell", subject=subject)
    return len(subjects)


def _verb(bell: Bell) -> Callable[[], None]:
    if bell.status == AttemptStatus.SUBMITTING:
        return lambda: submission_unknown_of(bell.attempt_id)
    if bell.provider == LOCAL or bell.status == AttemptStatus.PLANNED:
        begin = render_attempt if bell.provider == LOCAL else submit_attempt
        return lambda: _ring_or_do(dispatch.ring_begin(bell.attempt_id, bell.idem_key, bell.provider), begin, bell)
    return lambda: _ring_or_do(dispatch.ring_settle(bell.attempt_id, bell.idem_key), settle_attempt, bell)


def _advance(run_pk: int) -> Callable[[], None]:
    def ring() -> None:
        if not dispatch.ring_advance(run_pk):
            advance_run(run_pk)

    return ring


def _ring_or_do(rung: bool, verb: Callable[[int], object], bell: Bell) -> None:
    if not rung:
        work = HANDS.submit(_in_thread, verb, bell.attempt_id)
        _AT_WORK.add(work)
        work.add_done_callback(_AT_WORK.discard)


HANDS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="zaps-drain-hands")
_AT_WORK: set[Future[None]] = set()


def wait_for_hands() -> None:
    """Until the work that is done here, for want of a broker, has come to its end.

    For whoever ends with the cycle: the interpreter waits for it, too, but lets it begin no pool of threads any more,
    as a judge and a bucket need one.
    """
    wait(list(_AT_WORK))


def _in_thread(verb: Callable[[int], object], pk: int) -> None:
    """Without a broker the work is done here; a row that somebody else took meanwhile is theirs."""
    try:
        verb(pk)
    except StaleState as exc:
        logger.info("stale=%s", exc)
    except Exception:
        logger.exception("attempt=%s drain=broken", pk)
    finally:
        connection.close()


def _do(report: CycleReport, subject: str, verb: Callable[[], None]) -> None:
    try:
        verb()
    except StaleState:
        return
    except Exception as exc:  # one broken row must not stop the others
        logger.exception("subject=%s drain=broken", subject)
        report.note_error(f"{type(exc).__name__}: {subject}")
        return
    report.note(kind="bell", subject=subject)
