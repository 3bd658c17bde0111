"""From an event to a result."""

import pytest

from core.errors import BadInput
from flows import claims, events, hooks, output, results, sweep
from flows.models import FlowAttempt, FlowEvent, FlowRun
from flows.refusals import EventChanged, LeaseExpired, LeaseLost, OutputGap, RunCanceled, RunEnded
from tests.integration.flows.making import NOON, after, claim, claim_one, dispatch, event, step, sync

pytestmark = pytest.mark.django_db


def test_an_event_becomes_a_run_is_claimed_and_completed():
    sync("ci", step("build"), step("test"), config={"region": "eu"}, root="/flows/ci")

    done = dispatch("e1", payload={"repo": "a/b"})
    first, second = claim(count=5)

    assert (done.status, done.matched) == ("accepted", 2)
    assert [first.run_id, second.run_id] == list(done.run_ids)
    assert first.step["step"]["script"] == "run.py"
    assert first.step["config"] == {"region": "eu"}
    assert first.event == {
        "id": "e1", "type": "pushed", "receivedAt": "2026-11-21T12:00:00.000Z", "payload": {"repo": "a/b"},
    }  # fmt: skip
    results.complete(first.attempt_id, first.token, {"status": "blocked", "why": "x"}, at=after(5))
    run = FlowRun.objects.get(run_id=first.run_id)
    assert (run.status, run.result_status, run.completed_at) == ("completed", "blocked", after(5))
    assert claim() == []


def test_an_event_sent_again_names_the_same_runs_and_makes_none():
    sync()
    once = dispatch("e1")

    again = dispatch("e1", at=after(9))

    assert (again.status, again.run_ids, again.matched) == ("duplicate", once.run_ids, 0)
    assert FlowRun.objects.count() == 1


def test_another_event_under_a_known_id_is_refused_by_name():
    sync()
    once = dispatch("e1", payload={"a": 1})

    with pytest.raises(EventChanged) as caught:
        dispatch("e1", payload={"a": 2})

    assert tuple(caught.value.extra["runIds"]) == once.run_ids


def test_a_payload_that_does_not_fit_the_schema_starts_nothing_and_the_reason_is_kept():
    schema = {"type": "object", "required": ["repo"], "properties": {"repo": {"type": "string"}}}
    sync("ci", step(trigger={"type": "pushed", "schemaJson": schema}))

    done = dispatch("e1", payload={"repo": 3})

    assert done.matched == 0
    assert FlowEvent.objects.get().missed == [{"flow": "ci", "step": "build", "reason": '$.repo breaks type: "string"'}]


def test_a_lease_is_valid_up_to_and_with_its_last_moment():
    sync()
    dispatch()
    lease = claim_one(lasts_ms=10_000)

    assert claims.heartbeat(lease.attempt_id, lease.token, lasts_ms=10_000, at=after(10)) == after(20)
    with pytest.raises(LeaseExpired):
        results.complete(lease.attempt_id, lease.token, {}, at=after(20.001))


def test_a_heartbeat_never_shortens_a_lease():
    sync()
    dispatch()
    lease = claim_one(lasts_ms=1_800_000)

    assert claims.heartbeat(lease.attempt_id, lease.token, lasts_ms=0, at=after(1)) == after(1800)


def test_a_lost_worker_is_replaced_and_refused():
    sync("ci", step(backoffMs=0))
    dispatch()
    old = claim_one("w1", lasts_ms=10_000)

    assert sweep.expire(at=after(11)) == [(old.run_id, "queued")]
    new = claim_one("w2", at=after(11))

    assert (new.run_id, new.number) == (old.run_id, 2)
    with pytest.raises(LeaseExpired):
        results.complete(old.attempt_id, old.token, {}, at=after(12))
    with pytest.raises(LeaseLost):
        results.complete(new.attempt_id, old.token, {}, at=after(12))
    results.complete(new.attempt_id, new.token, {}, at=after(12))


def test_a_run_that_kills_its_workers_dies_itself_and_holds_nobody_up():
    sync("ci", step(backoffMs=0, maxAttempts=2))
    dispatch("bad")
    dispatch("good", at=after(1))

    assert claim_one(lasts_ms=10_000, at=after(2)).event["id"] == "bad"
    sweep.expire(at=after(20))
    assert claim_one(lasts_ms=10_000, at=after(20)).event["id"] == "good"
    assert claim_one(lasts_ms=10_000, at=after(20)).event["id"] == "bad"
    sweep.expire(at=after(40))

    dead = FlowRun.objects.get(event__event_id="bad")
    assert (dead.status, dead.is_dead, dead.attempt_count) == ("failed", True, 2)


def test_canceling_a_run_ends_its_lease_and_nothing_revives_it():
    sync()
    dispatch()
    lease = claim_one()

    results.cancel(lease.run_id, who="user:1", at=after(1))
    results.cancel(lease.run_id, who="user:2", at=after(2))

    for call in (
        lambda: claims.heartbeat(lease.attempt_id, lease.token, at=after(3)),
        lambda: results.complete(lease.attempt_id, lease.token, {}, at=after(3)),
    ):
        with pytest.raises(RunCanceled):
            call()
    run = FlowRun.objects.get()
    assert (run.status, run.completed_at, run.canceled_by) == ("canceled", after(1), "user:1")


def test_a_report_sent_again_after_a_lost_answer_is_answered_the_same():
    sync()
    dispatch()
    lease = claim_one()
    results.complete(lease.attempt_id, lease.token, {"n": 1}, at=after(1))

    assert results.complete(lease.attempt_id, lease.token, {"n": 1}, at=after(500)) == lease.run_id
    with pytest.raises(LeaseLost):
        results.complete(lease.attempt_id, lease.token, {"n": 2}, at=after(2))
    with pytest.raises(RunEnded):
        results.cancel(lease.run_id)


def test_a_failed_step_is_tried_again_only_where_its_manifest_or_its_worker_says_so():
    sync("ci", step("strict"), step("soft", retryOnFail=True, maxAttempts=2, backoffMs=1000))
    dispatch()
    strict, soft = claim(count=2)

    assert results.fail(strict.attempt_id, strict.token, "no", at=after(1)) == "failed"
    assert results.fail(soft.attempt_id, soft.token, "no", at=after(1)) == "queued"
    assert results.fail(soft.attempt_id, soft.token, "no", at=after(1)) == "queued"
    assert claim(at=after(1)) == []
    last = claim_one(at=after(3))
    assert results.fail(last.attempt_id, last.token, "no", at=after(4)) == "failed"
    assert FlowRun.objects.get(run_id=soft.run_id).is_dead


def test_of_one_concurrency_key_only_as_many_runs_are_given_out_as_it_allows():
    sync("ci", step(concurrency={"key": "repo-{payload.repo}", "limit": 1}))
    for number, repo in enumerate(["a", "a", "b", "a"]):
        dispatch(f"e{number}", payload={"repo": repo})

    first = claim(count=10)
    assert [lease.event["id"] for lease in first] == ["e0", "e2"]
    results.complete(first[0].attempt_id, first[0].token, {}, at=after(1))
    second = claim_one()
    assert second.event["id"] == "e1"
    results.cancel(FlowRun.objects.get(event__event_id="e3").run_id)
    results.fail(second.attempt_id, second.token, "no", at=after(2))
    assert claim() == []


def test_output_is_stored_once_and_without_a_gap():
    sync()
    dispatch()
    lease = claim_one()
    pieces = [{"seq": n, "kind": "stdout", "text": f"line {n}\n"} for n in (1, 2, 3)]

    output.append(lease.attempt_id, lease.token, pieces[:2], at=NOON)
    assert output.append(lease.attempt_id, lease.token, pieces, at=NOON).last_seq == 3
    with pytest.raises(OutputGap) as caught:
        output.append(lease.attempt_id, lease.token, [{"seq": 5, "kind": "stdout", "text": "x"}], at=NOON)

    assert caught.value.extra["expectedSeq"] == 4
    assert [one.text for one in FlowAttempt.objects.get().output.all()] == ["line 1\n", "line 2\n", "line 3\n"]


def test_a_replay_runs_the_manifests_of_now_and_its_key_makes_it_once():
    sync("ci", step("build"))
    dispatch()
    sync("ci", step("build"), step("deploy"))

    first = events.replay("e1", key="k", at=after(1))
    again = events.replay("e1", key="k", at=after(2))
    other = events.replay("e1", at=after(2))

    assert (first.matched, again.status, again.run_ids) == (2, "duplicate", first.run_ids)
    assert not set(other.run_ids) & set(first.run_ids)
    assert FlowRun.objects.count() == 5


def test_a_dead_run_is_redriven_as_a_run_of_its_own():
    sync()
    dispatch()
    lease = claim_one()
    results.fail(lease.attempt_id, lease.token, "no", at=after(1))

    new = events.redrive(lease.run_id, at=after(2))

    assert claim_one(at=after(2)).run_id == new != lease.run_id
    with pytest.raises(RunEnded):
        events.redrive(new)


def test_a_hook_hears_of_every_end_and_again_where_it_failed(django_capture_on_commit_callbacks):
    heard = []

    def hook(run):
        heard.append((run.run_id, run.status))
        if len(heard) == 1:
            raise RuntimeError("not now")

    hooks.on_final(hook)
    try:
        sync()
        dispatch()
        lease = claim_one()
        with django_capture_on_commit_callbacks(execute=True):
            results.complete(lease.attempt_id, lease.token, {}, at=after(1))
        sweep.sweep(at=after(2))
        sweep.sweep(at=after(3))
    finally:
        hooks.remove(hook)

    assert heard == [(lease.run_id, "completed")] * 2


def test_priority_then_due_time_decides_and_filters_are_kept():
    sync("ci", step("low"), step("high", priority=5), step("late", delayMs=60_000), step("gpu", labels=["gpu"]))
    sync("node", step("js", runner="node"))
    dispatch()

    assert [one.step_name for one in claim(count=10)] == ["high", "low", "js"]
    assert [one.step_name for one in claim(count=10, labels=["gpu", "eu"])] == ["gpu"]
    assert claim(count=10, at=after(59)) == []
    assert [one.step_name for one in claim(count=10, at=after(60), flows=["ci"])] == ["late"]


def test_an_event_is_read_whole_before_anything_is_stored():
    for bad in ({}, {"id": "", "type": "t"}, {"id": "a", "type": 3}, [], "x", event("a\0b"), event(payload="\ud800")):
        with pytest.raises(BadInput):
            events.dispatch(bad, at=NOON)
    assert not FlowEvent.objects.exists()
