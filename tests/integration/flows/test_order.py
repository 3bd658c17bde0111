"""Who is served first, and what is said twice."""

import pytest
from django.db import connection

from flows import claims, events, hooks, output, results, sweep
from flows.models import FlowOutput, FlowRun
from flows.refusals import LeaseExpired, LeaseLost, RunCanceled
from tests.integration.flows.making import NOON, after, claim, claim_one, dispatch, step, sync

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook():
    """Register a hook for the test's time."""
    added = []

    def add(function):
        added.append(hooks.on_final(function))

    yield add
    for function in added:
        hooks.remove(function)


def test_a_batch_takes_the_best_of_all_runners_in_their_order():
    sync(
        "ci", step("a", runner="python", priority=1), step("b", runner="node", priority=3),
        step("c", runner="python", priority=2), step("d", runner="node"), step("e", runner="bun", priority=2),
    )  # fmt: skip
    dispatch("e1")
    dispatch("e2", at=after(1))

    names = [(lease.step_name, lease.event["id"]) for lease in claim(count=7, at=after(2))]

    assert names == [
        ("b", "e1"), ("b", "e2"), ("c", "e1"), ("e", "e1"), ("c", "e2"), ("e", "e2"), ("a", "e1"),
    ]  # fmt: skip
    assert [lease.step_name for lease in claim(count=50, at=after(2))] == ["a", "d", "d"]


def test_a_runner_named_twice_counts_once():
    sync()
    dispatch()

    assert len(claim(count=5, runners=["python", "node", "python"])) == 1


def test_a_release_sent_again_after_a_lost_answer_is_answered_the_same():
    sync("ci", step(maxAttempts=2))
    dispatch()
    first = claim_one()
    assert claims.release(first.attempt_id, first.token, at=after(1)) == "queued"

    assert claims.release(first.attempt_id, first.token, at=after(2)) == "queued"
    last = claim_one(at=after(2))
    assert claims.release(first.attempt_id, first.token, at=after(3)) == "queued"
    assert claims.release(last.attempt_id, last.token, at=after(3)) == "failed"
    assert claims.release(last.attempt_id, last.token, at=after(999)) == "failed"
    assert claims.release(first.attempt_id, first.token, at=after(999)) == "queued"

    run = FlowRun.objects.get()
    assert (run.status, run.is_dead, run.attempt_count, run.completed_at) == ("failed", True, 2, after(3))
    for other in (
        lambda: claims.release(first.attempt_id, last.token, at=after(3)),
        lambda: results.complete(last.attempt_id, last.token, {}, at=after(3)),
        lambda: results.fail(last.attempt_id, last.token, "no", at=after(3)),
    ):
        with pytest.raises(LeaseLost):
            other()


def test_what_is_released_after_a_cancel_or_the_end_of_its_lease_is_refused():
    sync("ci", step("a"), step("b"))
    dispatch()
    stopped, late = claim(count=2, lasts_ms=10_000)
    results.cancel(stopped.run_id, at=after(1))

    with pytest.raises(RunCanceled):
        claims.release(stopped.attempt_id, stopped.token, at=after(2))
    with pytest.raises(LeaseExpired):
        claims.release(late.attempt_id, late.token, at=after(10.001))


def test_output_is_taken_up_to_the_lease_s_last_moment_by_the_database_s_clock(monkeypatch):
    sync()
    dispatch(at=None)
    lease = claim_one(at=None)
    piece = [{"seq": 1, "kind": "stdout", "text": "x"}]

    with connection.cursor() as cursor:  # as a web server whose own clock is an hour ahead would see it
        cursor.execute("UPDATE flow_attempts SET lease_until = now() + interval '30 minutes'")
    monkeypatch.setattr("django.utils.timezone.now", lambda: after(10**9))
    assert output.append(lease.attempt_id, lease.token, piece).last_seq == 1
    assert FlowOutput.objects.get().created_at < lease.until
    with connection.cursor() as cursor:
        cursor.execute("UPDATE flow_attempts SET lease_until = now() - interval '1 millisecond'")
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOON)
    with pytest.raises(LeaseExpired):
        output.append(lease.attempt_id, lease.token, piece)


def test_ends_of_which_nobody_can_be_told_keep_no_other_waiting(hook):
    heard = []

    @hook
    def tell(run):
        if run.event.event_id != "good":
            raise RuntimeError("not this one")
        heard.append(run.run_id)

    sync("ci", *(step(f"s{number}") for number in range(150)))
    for event_id in ("bad", "worse", "good"):
        for run_id in dispatch(event_id).run_ids:
            results.cancel(run_id, at=after(1))

    sweep.sweep(at=after(2))

    assert sorted(heard) == sorted(FlowRun.objects.filter(event__event_id="good").values_list("run_id", flat=True))
    assert FlowRun.objects.filter(is_told=False).count() == 300


def test_a_run_that_waits_to_be_tried_again_keeps_its_turn():
    sync("ci", step(concurrency={"key": "k"}, retryOnFail=True, backoffMs=10_000))
    for name in ("e1", "e2"):
        dispatch(name)
    first = claim_one()

    assert results.fail(first.attempt_id, first.token, "no", at=after(1)) == "queued"

    assert claim(at=after(2)) == []
    assert claim_one(at=after(60)).event["id"] == "e1"


def test_a_run_that_is_canceled_while_it_waits_never_has_a_turn_and_gives_none():
    sync("ci", step(concurrency={"key": "k"}))
    for name in ("e1", "e2", "e3"):
        dispatch(name)
    first, canceled = claim_one(), FlowRun.objects.get(event__event_id="e2")

    results.cancel(canceled.run_id, at=after(1))

    canceled.refresh_from_db()
    assert (canceled.status, canceled.is_held, canceled.attempt_count) == ("canceled", False, 0)
    assert (canceled.completed_at, canceled.result, canceled.is_dead) == (after(1), None, False)
    assert claim(count=5, at=after(2)) == []
    results.complete(first.attempt_id, first.token, {}, at=after(3))
    assert [lease.event["id"] for lease in claim(count=5, at=after(3))] == ["e3"]


@pytest.mark.parametrize("is_claimed", [True, False])
def test_a_canceled_run_gives_its_turn_to_the_next_of_its_key(is_claimed):
    sync("ci", step(concurrency={"key": "k-{payload.n}"}))
    for name, n in (("e1", 1), ("e2", 1), ("e3", 1), ("e4", 2), ("e5", 2)):
        dispatch(name, payload={"n": n})
    if is_claimed:
        claim(count=5)

    results.cancel(FlowRun.objects.get(event__event_id="e1").run_id, at=after(1))

    waiting = FlowRun.objects.filter(is_held=True).order_by("pk")
    assert list(waiting.values_list("event__event_id", flat=True)) == ["e3", "e5"]
    taken = [lease.event["id"] for lease in claim(count=5, at=after(1))]
    assert taken == (["e2"] if is_claimed else ["e2", "e4"])


@pytest.mark.usefixtures("worst_plans")
def test_a_turn_is_given_once_whatever_the_plan_is():
    sync("ci", step(concurrency={"key": "ci", "limit": 2}))
    for name in ("e1", "e2", "e3", "e4", "e5"):
        dispatch(name)

    results.cancel(FlowRun.objects.get(event__event_id="e1").run_id, at=after(1))

    assert [lease.event["id"] for lease in claim(count=5, at=after(1))] == ["e2", "e3"]


def test_a_key_that_many_runs_wait_for_keeps_no_other_keys_turn_from_being_found(monkeypatch):
    monkeypatch.setattr(sweep, "BATCH", 2)
    sync("ci", step(concurrency={"key": "{payload.key}"}))
    for name, key in (("e1", "quiet"), ("e2", "busy"), ("e3", "busy")):
        dispatch(name, payload={"key": key})
    FlowRun.objects.update(is_held=True)  # as where every turn was lost

    sweep.sweep(at=after(1))

    assert [lease.event["id"] for lease in claim(count=5, at=after(1))] == ["e1", "e2"]


def test_a_redriven_run_begins_anew_at_once_with_the_step_as_it_stood():
    sync("ci", step(delayMs=60_000, maxAttempts=5))
    dispatch()
    old = claim_one(at=after(60))
    results.fail(old.attempt_id, old.token, "no", at=after(61))
    sync("ci", step(script="other.py"))

    new = claim_one(at=after(62)) if events.redrive(old.run_id, at=after(62)) else None

    assert (new.number, new.max_attempts, new.step["step"]["script"]) == (1, 5, "run.py")
    assert new.event == old.event
