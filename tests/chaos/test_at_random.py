"""Processes that die at any moment, for a while, and a broker that forgets."""

import os
import random
import time

import pytest

from runs.models import Run
from tests.chaos.fal import PRICE, paid
from tests.chaos.truth import FINAL, assert_nothing_lost
from tests.factories import make_run, planned
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FOR_S = 20.0
RUNS = 6


def test_whatever_dies_whenever_every_run_ends_right(workers, fal, broker):
    seed = int(os.environ.get("CHAOS_SEED") or time.time())
    print(f"CHAOS_SEED={seed}")
    dice = random.Random(seed)
    workers.start("worker", "drain", "beat")
    runs = []
    until = time.monotonic() + FOR_S
    while time.monotonic() < until:
        time.sleep(dice.uniform(0.2, 2.0))  # the moments are the dice's, not luck's
        fal.work_for(dice.uniform(0, 4), queue_s=dice.uniform(0, 2))
        fal.mend()
        fal.fault("submit", "slow", delay_s=dice.uniform(0, 1.5), times=None)
        fal.fault("media", "slow", delay_s=dice.uniform(0, 1.5), times=None)
        if len(runs) < RUNS:
            runs.append(make_run(paid("a"), paid("b"), planned("c", "a", "b"), mode="live"))
        name = dice.choice(["worker", "worker", "drain", "beat", "broker"])
        print(f"{time.monotonic() - until + FOR_S:5.1f} {name}")
        if name == "broker":
            broker.flushall()
        else:
            workers.kill(name)
            workers.start(name)
    fal.mend()
    fal.work_for(0)

    mine = Run.objects.filter(pk__in=[run.pk for run in runs])
    at_work = mine.exclude(status__in=[*FINAL, "waiting"])
    while True:
        wait_until(lambda: not at_work.exists())
        workers.kill("worker")  # a submission that it was given up for may be answered yet, and a run go on
        if not at_work.exists():
            break
        workers.start("worker")
    for run in runs:
        assert_nothing_lost(run, fal)
        assert_ended_right(run, fal)


def assert_ended_right(run, fal):
    """Done, or waiting for exactly those submissions whose answer was lost with a worker."""
    unknown = run.attempts.filter(status="unknown").count()
    assert run.status == ("waiting" if unknown else "done")
    if unknown:
        assert run.wait_reason == "submission_unknown"
        assert set(run.attempts.values_list("status", flat=True)) <= {"done", "unknown"}
    assert float(run.cost_usd) == pytest.approx((2 - unknown) * float(PRICE))
