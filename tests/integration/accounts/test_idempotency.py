from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models.functions import Now

from accounts import idempotency
from accounts.idempotency import Answer, Claim, KeyInFlight, KeyReused, claim, hash_request, once
from accounts.models import IdempotencyKey
from core.errors import BadInput, StaleState

pytestmark = pytest.mark.django_db
DONE = Answer(status=202, body={"runId": "run_1"}, run_id="run_1")


def take(key="k", body="same"):
    return claim(principal="user:1", key=key, request_hash=body)


def run(work=lambda _: DONE, *, key="k", body="same", principal="user:1"):
    return once(principal=principal, key=key, request_hash=body, prepare=lambda: None, commit=work)


def end_lease():
    IdempotencyKey.objects.update(lease_until=Now() - timedelta(seconds=1))


def test_the_second_request_gets_the_first_answer_and_does_nothing():
    run()

    again = run(lambda _: pytest.fail("it was carried out twice"))

    assert (again.status, again.body, again.run_id, again.replayed) == (202, {"runId": "run_1"}, "run_1", True)


def test_another_body_under_the_same_key_is_refused():
    run()

    with pytest.raises(KeyReused):
        run(body="other")


def test_another_body_is_refused_while_the_first_is_at_work():
    take()

    with pytest.raises(KeyReused):
        take(body="other")


def test_the_same_key_of_two_callers_is_two_keys():
    run()

    assert run(principal="user:2").replayed is False


def test_a_request_at_work_keeps_the_same_request_out():
    take()

    with pytest.raises(KeyInFlight) as caught:
        take()

    assert caught.value.retryable
    assert caught.value.status == 409


def test_a_dead_claim_is_taken_over_once():
    take()
    end_lease()

    assert isinstance(take(), Claim)
    with pytest.raises(KeyInFlight):
        take()


def test_a_slow_holder_whose_claim_was_taken_over_writes_nothing():
    slow = take()
    end_lease()
    take()

    with pytest.raises(StaleState), transaction.atomic():
        idempotency.answer(slow, DONE)

    assert IdempotencyKey.objects.get().response_status is None


def test_a_refused_request_frees_its_key():
    def refuse(_):
        raise BadInput("no")

    with pytest.raises(BadInput):
        run(refuse)

    assert not IdempotencyKey.objects.exists()
    assert run().replayed is False


def test_a_slow_holder_does_not_free_the_claim_of_the_next():
    slow = take()
    end_lease()
    take()

    idempotency.release(slow)

    assert IdempotencyKey.objects.count() == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "a\nb", "a\0b"])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(BadInput) as caught:
        run(key=key)

    assert caught.value.problems[0].code == "IDEMPOTENCY_KEY_INVALID"
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["x", "x" * 255, "with space ~!"])
def test_any_printable_key_will_do(key):
    assert run(key=key).status == 202


def test_the_order_of_fields_does_not_make_another_request():
    assert hash_request("POST", "/p", {"a": 1, "b": 2}) == hash_request("POST", "/p", {"b": 2, "a": 1})
    assert hash_request("POST", "/p", {"a": 1}) != hash_request("POST", "/q", {"a": 1})
    assert hash_request("POST", "/p", {"a": 1}) != hash_request("POST", "/p", {"a": "1"})


def test_keys_are_forgotten_after_two_days_and_not_before():
    run(key="old")
    run(key="new")
    IdempotencyKey.objects.filter(key="old").update(created_at=Now() - timedelta(hours=49))
    IdempotencyKey.objects.filter(key="new").update(created_at=Now() - timedelta(hours=47))
    end_lease()

    assert idempotency.purge() == 1
    assert IdempotencyKey.objects.get().key == "new"
