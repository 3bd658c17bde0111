"""Receivers that are slow, broken, hostile or gone, and workers that die."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from notifications import bells as doorbell
from notifications import endpoints, outbox, policy, posting
from notifications.deliver import deliver
from notifications.models import Delivery, Endpoint
from runs import heralds
from runs.control import cancel_run
from tests.factories import make_run, planned
from tests.integration.notifications.ways import caller, finish, let_pass, only
from tests.integration.people import make_user
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def codes():
    return [line["code"] for line in Delivery.objects.order_by("pk").first().log]


def test_what_is_refused_comes_again_with_the_same_id_and_the_same_words(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    receiver.says = [500, (503, {})]
    finish(bells, alice)

    told(), let_pass(60), told(), let_pass(300), told()

    assert len(receiver.messages) == 3
    assert len({message.id for message in receiver.messages}) == 1
    assert receiver.messages[0].data == receiver.messages[-1].data
    assert codes() == ["REFUSED", "REFUSED", "DELIVERED"]
    assert [line["status"] for line in Delivery.objects.get().log] == [500, 503, 200]
    hook.refresh_from_db()
    assert (hook.failures, hook.failing_since) == (0, None)


def test_nothing_is_tried_again_before_its_time(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    receiver.says = [500, 500]
    finish(bells, alice)

    told(), let_pass(60), told()  # the next pause is half a minute

    assert told() == 0
    let_pass(10)
    assert told() == 0
    let_pass(30)
    assert told() == 1


def test_a_receiver_is_asked_again_when_it_says_so(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    receiver.says = [(429, {"Retry-After": "600"})]
    finish(bells, alice)
    told()

    let_pass(590)
    assert told() == 0
    let_pass(20)
    assert told() == 1


@pytest.mark.parametrize(
    ("says", "code"), [("reset", "NO_ANSWER"), ((302, {"Location": "/elsewhere"}), "REDIRECTED"), (404, "REFUSED")]
)
def test_what_is_no_yes_is_a_no(alice, bells, hook, receiver, told, says, code):
    only(hook, "run.done")
    receiver.says = [says]
    finish(bells, alice)

    told()

    assert codes() == [code]
    assert len(receiver.messages) == 1  # a redirect is not followed, and a reset not repeated at once
    assert Delivery.objects.get().status == "waiting"


def test_a_receiver_that_never_answers_is_left(alice, bells, hook, receiver, told, monkeypatch):
    monkeypatch.setattr(policy, "CONNECT_S", 0.1)
    monkeypatch.setattr(policy, "ANSWER_S", 0.2)
    only(hook, "run.done")
    receiver.says = ["slow"]
    finish(bells, alice)

    told()

    assert codes() == ["NO_ANSWER"]
    assert Delivery.objects.get().log[0]["ms"] < 5000


def test_a_receiver_that_is_not_there_is_tried_again(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    receiver.close()
    finish(bells, alice)

    told()

    assert codes() == ["UNREACHABLE"]


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://127.0.0.1:1/", "https://localhost/", "https://intra.lan/"]
)
def test_a_private_address_is_refused_even_where_it_was_stored(alice, bells, hook, told, url):
    only(hook, "run.done")
    Endpoint.objects.update(url=url)
    finish(bells, alice)

    told()

    assert codes() == ["ADDRESS_REFUSED"]


def test_a_name_that_leads_to_a_private_address_is_refused(alice, bells, hook, told, monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, *a, **k: [(2, 1, 6, "", ("10.0.0.5", port or 443))])
    only(hook, "run.done")
    Endpoint.objects.update(url="https://hooks.example.com/zaps")
    finish(bells, alice)

    due = outbox.claim_due(10)
    delivery = outbox.take(due[0])

    assert posting.post(delivery, delivery.endpoint).code == "ADDRESS_REFUSED"


def test_a_receiver_that_is_gone_is_told_nothing_more(alice, bells, hook, receiver, told):
    receiver.says = [410]
    finish(bells, alice)

    told(), let_pass(60)

    assert told() == 0
    hook.refresh_from_db()
    assert (hook.is_on, hook.off_reason) == (False, "gone")
    assert [one.status for one in Delivery.objects.all()] == ["failed", "failed"]
    finish(bells, alice)
    assert Delivery.objects.count() == 2


def test_a_receiver_that_failed_for_three_days_is_turned_off_and_its_owner_told(
    alice, bells, hook, receiver, told, settings, mailoutbox
):
    settings.ZAP_MAIL_ON = True
    type(alice).objects.filter(pk=alice.pk).update(email="alice@example.com")
    only(hook, "run.done")
    Endpoint.objects.update(failures=40, failing_since=timezone.now() - timedelta(days=3, minutes=1))
    receiver.says = [500]
    finish(bells, alice)

    told(), told()

    hook.refresh_from_db()
    assert (hook.is_on, hook.off_reason) == (False, "failing")
    assert [mail.subject for mail in mailoutbox] == ["A webhook was turned off"]
    assert hook.hook_id in mailoutbox[0].body


def test_a_delivery_is_given_up_after_a_day(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    receiver.says = [500] * 20
    finish(bells, alice)

    for _ in range(20):
        told(), let_pass(9 * 3600)
        Endpoint.objects.update(failing_since=timezone.now())

    assert len(receiver.messages) == policy.MOST_TRIES
    assert Delivery.objects.get().status == "failed"
    assert 0.9 < sum(policy.PAUSES_S) / 86_400 < 1.1


def test_events_of_a_run_come_in_their_order_though_the_first_is_refused(alice, bells, hook, receiver, told):
    receiver.says = [500]
    finish(bells, alice)

    told(), told(), let_pass(10), told(), told()

    assert receiver.types == ["run.started", "run.started", "run.done"]


def test_a_later_event_does_not_wait_for_ever(alice, bells, hook, receiver, told):
    receiver.says = [500, 500]
    finish(bells, alice)

    told(), let_pass(policy.IN_ORDER.total_seconds() + 1), told(), let_pass(10), told()

    assert receiver.types == ["run.started", "run.started", "run.done"]
    assert Delivery.objects.filter(status="waiting").count() == 1


def test_a_failing_receiver_gets_one_message_at_a_time(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    finish(bells, alice), finish(bells, alice), finish(bells, alice)
    Endpoint.objects.update(failures=1)

    assert told() == 1


def test_an_owner_has_four_messages_out_at_a_time_and_others_do_not_wait(alice, bells, hook, receiver):
    only(hook, "run.done")
    bob = make_user("bob")
    theirs, _ = endpoints.add(caller(bob), url=receiver.url, events=["run.done"])
    for _ in range(6):
        finish(bells, alice)
    finish(bells, bob)

    due = outbox.claim_due(100)

    assert Delivery.objects.filter(pk__in=due, owner=alice).count() == 4
    assert Delivery.objects.filter(pk__in=due, endpoint=theirs).count() == 1
    assert outbox.claim_due(100) == []


def test_two_workers_do_not_both_send(alice, bells, hook, receiver):
    only(hook, "run.done")
    finish(bells, alice)
    pk = Delivery.objects.get().pk
    start = threading.Barrier(4)

    def work():
        start.wait()
        deliver(pk)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    [one.start() for one in workers], [one.join() for one in workers]

    assert len(receiver.messages) == 1
    assert Delivery.objects.get().tries == 1


def test_a_worker_that_dies_after_sending_costs_a_repetition(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    finish(bells, alice)
    taken = outbox.take(outbox.claim_due(10)[0])
    posting.post(taken, taken.endpoint)  # and there it died

    assert told() == 0
    let_pass(policy.LEASE_S + 1)
    assert told() == 1

    assert len({message.id for message in receiver.messages}) == 1
    assert len(receiver.messages) == 2


def test_the_late_word_of_a_worker_that_was_taken_for_dead_changes_nothing(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    finish(bells, alice)
    slow = outbox.take(outbox.claim_due(10)[0])
    let_pass(policy.LEASE_S + 1), told()

    outbox.close(slow, outbox.Outcome(code="REFUSED", status=500, took_ms=1))

    assert Delivery.objects.get().status == "delivered"
    assert codes() == ["DELIVERED"]


def test_without_a_broker_the_drain_delivers(alice, bells, hook, receiver, monkeypatch):
    monkeypatch.setattr(doorbell, "ring", lambda pk: False)
    only(hook, "run.done")
    finish(bells, alice)

    heralds.herald().ring_due(100)

    wait_until(lambda: Delivery.objects.get().status == "delivered")
    assert receiver.types == ["run.done"]


def test_a_move_that_is_rolled_back_tells_nobody(alice, hook):
    run = make_run(planned("door"), owner=alice)

    with suppress(RuntimeError), transaction.atomic():
        cancel_run(run.run_id, actor="user:1")
        assert Delivery.objects.count() == 1
        raise RuntimeError

    assert Delivery.objects.count() == 0


def test_what_was_put_down_as_a_receiver_was_turned_off_is_not_sent(alice, bells, hook, receiver, told):
    only(hook, "run.done")
    finish(bells, alice)
    Endpoint.objects.update(is_on=False, off_reason="owner")  # by a transaction that the move did not see

    told()

    assert receiver.messages == []
    assert codes() == ["ENDPOINT_OFF"]


def test_a_run_of_nobody_and_of_somebody_without_receivers_costs_at_most_a_statement_a_move(
    alice, bells, django_assert_num_queries
):
    for owner, statements in ((None, 0), (alice, 1)):
        run = make_run(planned("door"), owner=owner)
        with django_assert_num_queries(statements):
            heralds.herald().moved(run, [heralds.Told("started", 2)])
