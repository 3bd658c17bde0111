"""What tests of a run's life share: steps that cost money, time that passes, and what must always be true."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

from django.db import connection

from core.errors import Conflict
from runs import circuits, limits
from runs.engine import drain
from runs.engine.cron_logs import CycleReport
from runs.models import Run
from tests.chaos.fal import PRICE
from tests.chaos.truth import assert_true_to_itself, facts_of
from tests.factories import make_run
from zaps.planned import Judging

LOOK = "0.002"
USD = Decimal(PRICE)
HOP_S = 30
_TIMES = {
    "runs": ("due_at", "rung_at"),
    "steps": ("due_at",),
    "attempts": ("due_at", "rung_at", "lease_until", "submitted_at", "accepted_at", "deadline_at"),
    "circuits": ("retry_at", "opened_at"),
    "provider_accounts": ("paused_until",),
}


class Critic:
    """The judge's desk of a running emulator."""

    def __init__(self, emulator):
        self._desk = emulator.desks["judge"]

    def says(self, *scores):
        """Of one picture after the other; what follows is well liked."""
        self.faults(*({"do": "scores", "body": score} for score in scores))

    def faults(self, *rules):
        self._desk.plan.add(*({"on": "submit", **rule} for rule in rules))

    @property
    def looks(self):
        """How often it was asked, whatever it answered."""
        return self._desk.journal.count("submit")


def live(*steps, cap="5", **fields):
    """A live run of these steps, accepted and not begun."""
    return make_run(*steps, mode="live", cap=cap, **fields)


def judging(threshold="0.7", **fields):
    """A judge who is asked about one thing."""
    return Judging(criteria=("a lighthouse",), threshold=Decimal(threshold), quote_usd=Decimal(LOOK), **fields)


def let_pass(seconds):
    """Time passes: every moment that is written down lies so much further back."""
    with connection.cursor() as cursor:
        for table, columns in _TIMES.items():
            earlier = ", ".join(f"{column} = {column} - %s * interval '1 second'" for column in columns)
            cursor.execute(f"UPDATE {table} SET {earlier}", [seconds] * len(columns))
    circuits.forget()
    limits.forget()


def go_on(bells, *, rounds=20, hop_s=HOP_S):
    """Everybody answers, time passes, the drain looks: until no run moves by itself any more, or the time is up."""
    for _ in range(rounds):
        bells.answer_all()
        if not Run.objects.filter(status__in=["queued", "running"]).exists():
            return
        pass_and_ring(hop_s)
    bells.answer_all()


def pass_and_ring(seconds):
    """Time passes, and the drain looks once."""
    let_pass(seconds)
    report = drain.run_cycle(window_s=0, job_name="test")
    assert isinstance(report, CycleReport)
    assert not report.errors, report.last_error


def states(run):
    """Status of the run and of each step, fresh; all that must hold at any moment holds."""
    check(run)
    run.refresh_from_db()
    return run.status, dict(run.steps.values_list("step_id", "status"))


def check(*runs):
    """What the rows agree on at any moment."""
    for facts in facts_of(*runs):
        assert_true_to_itself(facts)


def step_of(run, step_id="a"):
    return run.steps.get(step_id=step_id)


def attempts_of(run, step_id="a", **wanted):
    """Oldest first."""
    return list(run.attempts.filter(step__step_id=step_id, **wanted).order_by("number"))


def at_once(*calls):
    """What came of all of them, called in the same moment by a thread each: None, or why it was refused."""
    together = Barrier(len(calls))

    def call(one):
        try:
            together.wait(timeout=30)
            one()
        except Conflict as exc:
            return exc
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))
