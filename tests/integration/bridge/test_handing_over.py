"""Nothing is lost on the way, and nothing is told twice."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import OperationalError, connection, transaction

from bridge import bells as doorbell
from bridge import outbox
from bridge.models import PendingEvent
from bridge.tasks import hand_over
from flows import events as flow_events
from flows.models import FlowEvent, FlowRun
from runs import heralds
from runs.control.cancel import cancel_run
from runs.deletion.erase import delete_run
from tests.factories import make_run, planned
from tests.integration.bridge.ways import events, finish, let_pass, types
from tests.integration.flows.making import step, sync
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def drain():
    return heralds.herald().ring_due(100)


def test_a_bell_is_rung_once_the_end_is_committed(rung):
    run = make_run(planned("door"))

    with transaction.atomic():
        cancel_run(run.run_id, actor="user:1")
        assert rung == []

    assert rung == ["bell"]


def test_an_end_that_is_rolled_back_is_not_told(rung):
    run = make_run(planned("door"))

    with suppress(RuntimeError), transaction.atomic():
        cancel_run(run.run_id, actor="user:1")
        assert PendingEvent.objects.count() == 1
        raise RuntimeError

    assert not PendingEvent.objects.exists()
    assert rung == []


@pytest.mark.usefixtures("worst_plans")
def test_no_more_is_rung_for_than_was_asked_for_whatever_the_plan_is(bells):
    for _ in range(3):
        finish(bells)
    let_pass(outbox.BELL_AGAIN_S + 1)

    assert [outbox.claim_bells(2), outbox.claim_bells(2)] == [2, 1]


def test_where_the_bell_was_lost_the_drain_rings_again(bells, rung):
    finish(bells)
    rung.clear()

    assert drain() == []
    let_pass(outbox.BELL_AGAIN_S + 1)
    assert drain() == ["flow events 1"]
    assert drain() == []

    assert rung == ["bell"]


def test_without_a_broker_the_drain_hands_over_by_itself(bells, monkeypatch):
    monkeypatch.setattr(doorbell, "ring", lambda: False)
    finish(bells)
    let_pass(outbox.BELL_AGAIN_S + 1)

    drain()

    wait_until(lambda: types() == ["zap.run.done"])


def test_a_message_that_comes_twice_tells_once(bells):
    sync("notes", step("note", on="zap.run.done"))
    finish(bells)

    hand_over(), hand_over(newer="word")

    assert types() == ["zap.run.done"]
    assert FlowRun.objects.count() == 1


def test_an_event_that_flows_have_already_makes_no_second_run(bells):
    sync("notes", step("note", on="zap.run.done"))
    finish(bells)
    flow_events.dispatch(PendingEvent.objects.get().event)

    assert outbox.hand_over() == 1

    assert FlowEvent.objects.count() == FlowRun.objects.count() == 1
    assert not PendingEvent.objects.exists()


def test_many_who_hand_over_at_once_tell_each_end_once(bells):
    sync("notes", step("note", on="zap.run.done"))
    for _ in range(5):
        finish(bells)

    def one(_):
        try:
            return outbox.hand_over()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        given = sum(pool.map(one, range(4)))

    assert given == 5
    assert len(set(events())) == FlowRun.objects.count() == 5


def test_whoever_dies_while_handing_over_leaves_it_to_the_next(bells, monkeypatch):
    finish(bells)

    def die(self, *_, **__):
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(PendingEvent, "delete", die)
        with pytest.raises(SystemExit):
            outbox.hand_over()
    assert events() == []

    assert outbox.hand_over() == 1
    assert types() == ["zap.run.done"]


def test_an_event_that_flows_cannot_take_now_is_given_later_and_keeps_no_other_back(bells, monkeypatch):
    broken, whole = finish(bells), finish(bells)
    dispatch = flow_events.dispatch

    def fail_for_one(data):
        if data["payload"]["runId"] == broken.run_id:
            raise OperationalError
        return dispatch(data)

    with monkeypatch.context() as patched:
        patched.setattr(flow_events, "dispatch", fail_for_one)
        assert outbox.hand_over() == 1
    assert [event.payload["runId"] for event in FlowEvent.objects.all()] == [whole.run_id]

    assert outbox.hand_over() == 0
    let_pass(outbox.LATER.total_seconds() + 1)
    assert outbox.hand_over() == 1


def test_an_id_that_somebody_took_before_is_left_to_them(bells, caplog):
    finish(bells)
    ours = PendingEvent.objects.get().event
    flow_events.dispatch({"id": ours["id"], "type": "other", "payload": {}})

    outbox.hand_over()

    assert types() == ["other"]
    assert not PendingEvent.objects.exists()
    assert "EVENT_ID_REUSED" in caplog.text


def test_of_a_run_that_is_deleted_first_nothing_is_told(bells):
    run = finish(bells)

    delete_run(run.run_id, actor="user:1")

    assert outbox.hand_over() == 0
    assert events() == []


def test_what_was_told_of_a_run_that_is_deleted_afterwards_stays_without_what_it_was_given(bells):
    run = finish(bells, inputs={"NAME": "quetzalcoatl"})
    outbox.hand_over()

    delete_run(run.run_id, actor="user:1")

    assert types() == ["zap.run.done"]
    assert "quetzalcoatl" not in str(list(FlowEvent.objects.values()))


def test_what_was_put_down_before_it_was_turned_off_is_still_told(bells, settings):
    finish(bells)
    settings.ZAP_FLOW_EVENTS = "none"

    assert outbox.hand_over() == 1


def test_the_receivers_of_webhooks_are_told_beside_it():
    names = {type(one).__name__ for one in heralds.herald().heralds.values()}

    assert names == {"Bridge", "Outbox"}


def test_where_it_is_off_a_move_costs_nothing(bells, settings, django_assert_num_queries):
    settings.ZAP_FLOW_EVENTS = "none"
    run = make_run(planned("door"))

    with django_assert_num_queries(0):
        heralds.herald().moved(run, [heralds.Told("finished", 2)])
