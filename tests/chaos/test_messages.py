"""What the messages are, and what becomes of them when they come twice."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from runs import dispatch
from runs.engine.advance import advance_run
from tests.chaos.fal import paid
from tests.chaos.truth import assert_nothing_lost, wait_for
from tests.factories import make_run, planned
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def messages_in(broker, queue):
    """What lies in a queue: (task, its id, its arguments, the tasks that follow), oldest first."""
    found = []
    for text in reversed(broker.lrange(queue, 0, -1)):
        message = json.loads(text)
        args, kwargs, embed = json.loads(base64.b64decode(message["body"]))
        assert args == []
        found.append((message["headers"]["task"], message["headers"]["id"], kwargs, embed["chain"] or []))
    return found


def test_a_chain_carries_ids_only_and_its_task_ids_name_the_attempt(broker):
    run = make_run(paid("a", prompt="a very secret lighthouse"), mode="live")
    broker.flushall()

    advance_run(run.pk)

    attempt = run.attempts.get()
    ((task, task_id, arguments, following),) = messages_in(broker, "engine")
    assert (task, task_id) == ("runs.submit_step", f"submit:{attempt.idem_key}")
    assert arguments == {"attempt_id": attempt.pk}
    assert {each["options"]["task_id"]: (each["task"], each["kwargs"]) for each in following} == {
        f"poll:{attempt.idem_key}": ("runs.poll_step", {"attempt_id": attempt.pk}),
        f"settle:{attempt.idem_key}": ("runs.settle_step", {"attempt_id": attempt.pk}),
    }
    assert "secret" not in str(broker.lrange("engine", 0, -1))


def test_a_render_has_a_queue_of_its_own_and_carries_an_id_only(broker):
    run = make_run(planned("film", kind="stitch", inputs=()))
    broker.flushall()

    advance_run(run.pk)

    attempt = run.attempts.get()
    assert messages_in(broker, "media") == [
        ("runs.render_step", f"render:{attempt.idem_key}", {"attempt_id": attempt.pk}, [])
    ]
    assert broker.llen("engine") == 0


def test_a_run_is_announced_by_its_row_id_only(broker):
    run = make_run(paid("a"), mode="live")

    ((task, _, arguments, following),) = messages_in(broker, "engine")

    assert (task, arguments, following) == ("runs.advance", {"run_id": run.pk}, [])


def test_a_submission_that_is_delivered_three_times_is_sent_once(workers, fal, broker):
    fal.fault("submit", "slow", delay_s=1, times=None)
    run = make_run(paid("a"), mode="live")
    broker.flushall()
    advance_run(run.pk)
    message = broker.lindex("engine", 0)
    broker.rpush("engine", message, message)

    workers.start("worker")
    wait_for(run, "done")

    wait_until(lambda: broker.llen("engine") == 0)
    assert len(fal.journal.submissions) == 1
    assert run.events.filter(type="attempt.submitting").count() == 1
    assert_nothing_lost(run, fal)


def test_a_settling_that_is_announced_three_times_fetches_once(patient, fal, broker):
    fal.work_for(2)
    fal.fault("media", "slow", delay_s=1.5, times=None)
    patient.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    wait_until(lambda: fal.journal.count("media"))
    attempt = run.attempts.get()

    for _ in range(3):
        dispatch.ring_settle(attempt.pk, attempt.idem_key)
    wait_for(run, "done")

    wait_until(lambda: broker.llen("results") == 0)
    assert fal.journal.count("media") == 1
    assert_nothing_lost(run, fal)


def test_a_run_that_is_announced_by_many_at_once_begins_each_step_once(workers, fal):
    run = make_run(paid("a"), paid("b"), paid("c", "a", "b"), mode="live")
    with ThreadPoolExecutor(4) as bells:
        list(bells.map(dispatch.ring_advance, [run.pk] * 20))

    workers.start("worker")
    wait_for(run, "done")

    assert len(fal.journal.submissions) == 3
    assert run.attempts.count() == 3
    assert_nothing_lost(run, fal)


def test_independent_steps_are_with_their_provider_at_the_same_time(workers, fal):
    fal.stop_time()
    fal.work_for(2)
    workers.start("worker", "drain", "beat")
    run = make_run(paid("a"), paid("b"), paid("c", "a", "b"), mode="live")

    wait_until(lambda: run.attempts.filter(status="accepted").count() == 2)

    assert set(run.attempts.values_list("step__step_id", flat=True)) == {"a", "b"}
    fal.work_for(0)
    fal.pass_time(2)
    wait_for(run, "done")
    assert_nothing_lost(run, fal)
