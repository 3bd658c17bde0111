"""Many at once: the same event, and the same queue."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from flows import claims, events, results, sweep
from flows.models import FlowAttempt, FlowEvent, FlowRun
from tests.integration.flows.making import NOON, after, claim_one, dispatch, event, step, sync
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count, work):
    """What `work(number)` returned in each of so many threads that begin together."""
    ready = Barrier(count)

    def one(number):
        try:
            connection.ensure_connection()
            ready.wait(30)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_sixteen_senders_of_one_event_are_all_told_of_the_same_runs():
    sync("ci", step("build"), step("test"), step("ship", concurrency={"key": "one"}))

    for number in range(5):
        done = at_once(16, lambda _, name=f"e{number}": events.dispatch(event(name, payload={"a": 1}), at=NOON))
        assert sorted(one.status for one in done) == ["accepted"] + ["duplicate"] * 15
        assert sum(one.matched for one in done) == 3
        assert len({one.run_ids for one in done}) == 1
        assert len(done[0].run_ids) == 3
    assert (FlowEvent.objects.count(), FlowRun.objects.count()) == (5, 15)
    assert FlowRun.objects.filter(step_name="ship", is_held=False).count() == 1


def test_sixteen_replays_with_one_key_make_the_runs_once():
    sync()
    events.dispatch(event("e1"), at=NOON)

    done = at_once(16, lambda number: events.replay("e1", key="same" if number % 2 else "", at=NOON))

    same = {one.run_ids for number, one in enumerate(done) if number % 2}
    assert len(same) == 1
    assert len({one.run_ids for one in done}) == 9
    assert FlowRun.objects.count() == 1 + 9


def test_eight_claimers_never_share_a_run_and_leave_none():
    sync("ci", step("a"), step("b", runner="node"), step("c", concurrency={"key": "k", "limit": 2}))
    for number in range(60):
        events.dispatch(event(f"e{number}"), at=NOON)

    def work(number):
        mine, idle = [], 0
        while idle < 20:
            leases = claims.claim(f"w{number}", count=1 + number % 5, at=after(1))
            idle = 0 if leases else idle + 1
            for lease in leases:
                results.complete(lease.attempt_id, lease.token, {}, at=after(2))
            mine += [lease.run_id for lease in leases]
        return mine

    claimed = [run_id for mine in at_once(8, work) for run_id in mine]

    assert len(claimed) == len(set(claimed)) == 180
    assert FlowRun.objects.filter(status="completed").count() == 180
    assert FlowAttempt.objects.filter(status="completed", number=1).count() == 180


def test_a_cancel_that_waits_for_a_claim_stops_what_was_claimed():
    sync()
    dispatch()
    run_id = FlowRun.objects.get().run_id
    canceler = []

    def cancel():
        canceler.append(backend())
        results.cancel(run_id, at=after(1))
        connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            claim_one(at=after(1))
            canceled = threads.submit(cancel)
            wait_until(lambda: canceler and waits_for_a_lock(*canceler))
        canceled.result()

    assert FlowRun.objects.get().status == FlowAttempt.objects.get().status == "canceled"
    assert sweep.expire(at=after(3600)) == []


def backend():
    """The number of this thread's connection, as the server knows it."""
    connection.ensure_connection()
    return connection.connection.info.backend_pid


def waits_for_a_lock(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)", [pid])
        return cursor.fetchone()[0]
