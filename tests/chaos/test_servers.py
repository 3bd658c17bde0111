"""The broker forgets everything, PostgreSQL goes away, the schedule or the drain dies."""

from decimal import Decimal

import pytest
from django.db import OperationalError, connection

from runs.engine.advance import advance_run
from runs.engine.submit import submit_attempt
from runs.models import CronLog, Run
from tests.chaos.fal import paid
from tests.chaos.truth import assert_nothing_lost, attempt_in, wait_for
from tests.factories import make_run, planned
from tests.processes import wait_until
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def database():
    """PostgreSQL, to end and start again. As any that is meant to last, it keeps what it called committed."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
    connection.close()
    yield Database(name)
    SERVERS.start("postgres")
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} RESET synchronous_commit")
    connection.close()


class Database:
    """The server under the test's own feet: its connection is closed before each move."""

    def __init__(self, name):
        self.name = name

    def kill(self):
        connection.close()
        SERVERS.kill("postgres")

    def stop(self):
        connection.close()
        SERVERS.stop("postgres")

    def start(self):
        SERVERS.start("postgres")


def test_the_broker_forgets_everything_in_mid_run_again_and_again(workers, fal, broker):
    fal.work_for(1)
    workers.start("worker", "drain", "beat")
    runs = [make_run(paid("a"), paid("b", "a"), mode="live") for _ in range(2)]
    broker.flushall()
    for step_id in ("a", "b"):
        wait_until(lambda step_id=step_id: runs[0].attempts.filter(step__step_id=step_id).exists())
        broker.flushall()
        wait_until(lambda step_id=step_id: runs[0].attempts.exclude(status="planned").filter(step__step_id=step_id))
        broker.flushall()

    for run in runs:
        wait_for(run, "done")

    assert len(fal.journal.submissions) == 4
    for run in runs:
        assert_nothing_lost(run, fal)


def test_messages_that_were_lost_before_anybody_read_them_are_sent_again(workers, fal, broker):
    fal.stop_time()
    fal.work_for(1)
    run = make_run(paid("a"), mode="live")
    advance_run(run.pk)
    broker.flushall()  # the submission's is gone
    workers.start("worker", "drain", "beat")
    attempt_in(run, "accepted")
    workers.kill("worker")
    fal.pass_time(1)
    attempt_in(run, "settling")
    broker.flushall()  # the settling's is gone

    workers.start("worker")

    wait_for(run, "done")
    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)


def test_postgresql_dies_while_a_job_is_with_its_provider(workers, fal, database):
    fal.stop_time()
    fal.work_for(2)
    workers.start("worker", "drain", "beat")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")

    database.kill()
    database.start()
    fal.work_for(0)
    fal.pass_time(2)

    wait_for(run, "done")
    assert len(fal.journal.submissions) == 2
    assert_nothing_lost(run, fal)


def test_an_intent_survives_the_crash_of_a_postgresql_that_commits_lazily(workers, fal, database):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {database.name} SET synchronous_commit = off")
    fal.fault("submit", "slow", delay_s=5)
    workers.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    wait_until(fal.bought, every_s=0.001)

    database.kill()
    database.start()

    wait_for(run, "done")
    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)


def test_a_database_that_refuses_to_answer_fails_no_step(broker):
    run = make_run(paid("a"), planned("b", "a"))
    advance_run(run.pk)
    attempt = run.attempts.get()
    run.steps.filter(step_id="a").update(spec=run.steps.get(step_id="b").spec)
    other = connection.copy()
    with other.cursor() as cursor, connection.cursor() as mine:
        cursor.execute("BEGIN; LOCK TABLE assets IN ACCESS EXCLUSIVE MODE")
        mine.execute("SET lock_timeout = '50ms'")

        with pytest.raises(OperationalError):
            submit_attempt(attempt.pk)

        mine.execute("RESET lock_timeout")
    other.close()
    attempt.refresh_from_db()
    assert attempt.status == "planned"
    assert run.steps.get(step_id="a").status == "running"


def test_postgresql_is_away_when_the_answer_to_a_submission_comes(workers, fal, database):
    fal.fault("submit", "slow", delay_s=5)
    workers.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    wait_until(fal.bought)

    database.stop()
    wait_until(lambda: fal.journal.calls["submit 200"])
    wait_until(lambda: "submission=unwritten" in workers.said("worker"))
    database.start()

    wait_for(run, "done")
    assert len(fal.journal.submissions) == 1
    assert Run.objects.get(pk=run.pk).cost_usd == Decimal("0.025")
    assert_nothing_lost(run, fal)


def test_without_beat_the_steps_go_on_and_with_it_the_lost_ones_too(workers, fal, broker):
    fal.work_for(1)
    workers.start("worker", "drain", "beat")
    workers.kill("beat")
    lucky = make_run(paid("a"), mode="live")
    wait_for(lucky, "done")
    fal.stop_time()
    unlucky = make_run(paid("a"), mode="live")
    attempt_in(unlucky, "accepted")
    broker.flushall()
    workers.kill("worker")

    fal.pass_time(1)
    workers.start("worker", "beat")

    wait_for(unlucky, "done")
    assert len(fal.journal.submissions) == 2
    assert_nothing_lost(lucky, fal)
    assert_nothing_lost(unlucky, fal)


def test_the_drain_dies_in_the_middle_of_a_poll(workers, fal):
    fal.stop_time()
    fal.work_for(4)
    workers.start("worker")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")
    workers.kill("worker")
    asked = fal.journal.count("status")
    fal.fault("status", "slow", delay_s=60)
    workers.start("drain", "beat")
    wait_until(lambda: fal.journal.count("status") > asked)
    workers.kill("drain")

    fal.work_for(0)
    fal.pass_time(4)
    workers.start("worker", "drain")

    wait_for(run, "done")
    assert len(fal.journal.submissions) == 2
    wait_until(lambda: CronLog.objects.filter(job_name="drain", status="success").exists())
    assert_nothing_lost(run, fal)
