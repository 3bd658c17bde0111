from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from accounts.models import IdempotencyKey
from runs.models import Run, Step
from tests.integration.people import bearer, make_user

KEY = {"Idempotency-Key": "film-1"}


@pytest.mark.django_db(transaction=True)
def test_twenty_posts_at_once_make_one_run(order, as_alice):
    together = Barrier(20)

    def send(_):
        try:
            together.wait()
            return Client().post("/api/zaps/run", order, content_type="application/json", headers={**as_alice, **KEY})
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(send, range(20)))

    run = Run.objects.get()
    assert {answer.status_code for answer in answers} <= {202, 409}
    done = [answer for answer in answers if answer.status_code == 202]
    assert {answer.json()["runId"] for answer in done} == {run.run_id}
    assert sum("Idempotency-Replayed" not in answer for answer in done) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert (answer.json()["code"], answer.json()["retryable"]) == ("IDEMPOTENCY_IN_FLIGHT", True)
    assert Step.objects.count() == 3
    assert IdempotencyKey.objects.get().run_id == run.run_id


@pytest.mark.django_db
def test_the_same_request_again_is_answered_as_the_first(post, order, as_alice):
    first = post("/api/zaps/run", order, **as_alice, **KEY)
    again = post("/api/zaps/run", order, **as_alice, **KEY)

    assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_another_body_with_the_same_key_is_refused(post, order, as_alice):
    post("/api/zaps/run", order, **as_alice, **KEY)

    answer = post("/api/zaps/run", {**order, "inputs": {"NAME": "Bea"}}, **as_alice, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_two_tokens_do_not_share_keys(post, order, as_alice, as_bob):
    post("/api/zaps/run", order, **as_alice, **KEY)

    assert post("/api/zaps/run", order, **as_bob, **KEY).status_code == 202
    assert Run.objects.count() == 2


@pytest.mark.django_db
def test_anonymous_sessions_do_not_share_keys(post, order, open_doors):
    post("/api/zaps/run", order, **KEY, **{"X-Zap-Session": "one"})
    post("/api/zaps/run", order, **KEY, **{"X-Zap-Session": "two"})
    again = post("/api/zaps/run", order, **KEY, **{"X-Zap-Session": "one"})

    assert again["Idempotency-Replayed"] == "true"
    assert Run.objects.count() == 2


@pytest.mark.django_db
def test_a_refused_order_frees_its_key(post, order, as_alice):
    refused = post("/api/zaps/run", {**order, "inputs": {}}, **as_alice, **KEY)
    mended = post("/api/zaps/run", order, **as_alice, **KEY)

    assert (refused.status_code, mended.status_code) == (422, 202)
    assert "Idempotency-Replayed" not in mended


@pytest.mark.django_db
def test_a_plan_uses_no_key(post, order, as_alice):
    post("/api/zaps/run", {**order, "mode": "plan"}, **as_alice, **KEY)

    assert not IdempotencyKey.objects.exists()


@pytest.mark.django_db
def test_a_crash_before_the_answer_is_kept_leaves_no_run(post, order, as_alice, monkeypatch):
    def die(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("accounts.idempotency.answer", die)
        assert post("/api/zaps/run", order, **as_alice, **KEY).status_code == 500

    assert not Run.objects.exists()
    assert post("/api/zaps/run", order, **as_alice, **KEY).status_code == 202


@pytest.mark.django_db
def test_a_key_that_is_none_is_refused(post, order, as_alice):
    answer = post("/api/zaps/run", order, **as_alice, **{"Idempotency-Key": "x" * 256})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "IDEMPOTENCY_KEY_INVALID")
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_a_keyed_run_asks_the_database_little(post, order, django_assert_max_num_queries):
    alice = bearer(make_user("ann"))
    post("/api/zaps/run", order, **alice, **{"Idempotency-Key": "warm"})

    with django_assert_max_num_queries(13):  # as without a key, and: claim (3), look, savepoint (2), answer
        post("/api/zaps/run", order, **alice, **KEY)
