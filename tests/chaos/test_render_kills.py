"""kill -9 of a worker while ffmpeg is at work for it."""

import os
import signal
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest

from runs.control import cancel_run
from tests.chaos.truth import assert_nothing_lost, attempt_in, wait_for
from tests.factories import make_run, planned
from tests.processes import is_alive, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def halt():
    """Stop processes where they are, so that they cannot come to their end by themselves: those that had not before."""
    halted = []

    def stop(pids):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                halted.append(pid)
        return [pid for pid in pids if is_alive(pid)]

    yield stop
    for pid in filter(is_alive, halted):
        os.kill(pid, signal.SIGKILL)


def encoders_of(pid):
    """The ffmpeg processes that this process started."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # a thread that has ended meanwhile
            children = (task / "children").read_text().split()
            found += [int(child) for child in children if is_encoder(child)]
    return found


def is_encoder(pid):
    try:
        return "ffmpeg" in Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return False


def test_a_render_that_is_killed_leaves_no_encoder_behind_and_is_done_once_afterwards(workers, fal, halt):
    workers.start("worker")
    clips = [planned(name, kind="video.gen", duration_s=Decimal(20)) for name in ("a", "b")]
    run = make_run(*clips, planned("film", "a", "b", kind="stitch"))
    film = wait_until(lambda: run.attempts.filter(step__step_id="film", status="settling").first())
    encoders = wait_until(lambda: halt(encoders_of(workers.pid("worker"))), every_s=0.01)

    workers.kill("worker")

    wait_until(lambda: not any(is_alive(pid) for pid in encoders))
    film.refresh_from_db()
    assert film.status == "settling"
    workers.start("worker", "drain", "beat")
    wait_for(run, "done")
    assert run.assets.filter(step__step_id="film").count() == 1
    assert run.attempts.filter(step__step_id="film").count() == 1
    assert_nothing_lost(run, fal)


def test_a_run_that_is_canceled_in_mid_render_stops_its_encoder_and_keeps_no_film(workers, fal, halt):
    workers.start("worker")
    clips = [planned(name, kind="video.gen", duration_s=Decimal(20)) for name in ("a", "b")]
    run = make_run(*clips, planned("film", "a", "b", kind="stitch"))
    wait_until(lambda: run.attempts.filter(step__step_id="film", status="settling").first())
    encoders = wait_until(lambda: halt(encoders_of(workers.pid("worker"))), every_s=0.01)

    cancel_run(run.run_id, actor="user:1")

    wait_until(lambda: not any(is_alive(pid) for pid in encoders))
    attempt_in(run, "canceled")
    assert not run.assets.filter(step__step_id="film").exists()
    assert_nothing_lost(run, fal)
