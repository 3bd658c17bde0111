"""The circuit breakers: when a provider's model is left alone, and who may look whether it is well again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from runs import circuits
from runs.faults import FAULTS
from runs.models import Circuit
from zaps.planned import LOCAL

pytestmark = pytest.mark.django_db(transaction=True)

FAL = ("fal", "fal-ai/flux")
NO_CLOCK = float("inf")


def fails(times, code="PROVIDER_UNAVAILABLE", who=FAL):
    for _ in range(times):
        circuits.note_failure(*who, code)


def row():
    return Circuit.objects.get(provider=FAL[0], model=FAL[1])


def pause_s():
    circuit = Circuit.objects.get()
    return (circuit.retry_at - circuit.opened_at).total_seconds()


def let_the_pause_end():
    Circuit.objects.update(retry_at=Now() - timedelta(seconds=1))
    circuits.forget()


def at_once(count, call):
    """What `count` threads got that all called at the same moment."""
    start = Barrier(count)

    def one(_):
        try:
            start.wait(10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@contextmanager
def remembered(monkeypatch):
    """What is known of the circuits does not age."""
    circuits.admit("fal", "never-failed")
    with monkeypatch.context() as patch:
        patch.setattr(circuits._TROUBLED, "_stale_at", NO_CLOCK)
        yield


def test_every_counted_code_is_one_that_people_are_told_about():
    assert set(FAULTS) >= circuits.COUNTED | circuits.COUNTED_OF_ACCOUNTS
    assert not circuits.COUNTED & circuits.COUNTED_OF_ACCOUNTS


def test_a_healthy_model_costs_no_query(django_assert_num_queries, monkeypatch):
    with remembered(monkeypatch), django_assert_num_queries(0):
        assert circuits.admit(*FAL) is None
        circuits.note_success(*FAL)


def test_what_was_just_read_is_not_read_again(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(circuits, "_KNOWN_FOR_S", 3600.0)
    circuits.forget()

    with django_assert_num_queries(1):
        circuits.admit(*FAL)
        circuits.admit("fal", "another")

    circuits.forget()


def test_a_few_failures_pause_nothing():
    fails(4)

    assert circuits.admit(*FAL) is None
    assert (row().status, row().failures) == ("closed", 4)


def test_failures_in_a_row_pause_the_model_and_say_why():
    fails(4)
    fails(1, "POLL_UNAVAILABLE")

    assert 50 < circuits.admit(*FAL) <= 60
    assert (row().status, row().failures, row().pauses, row().error) == ("open", 5, 1, "POLL_UNAVAILABLE")
    assert row().opened_at is not None


def test_a_paused_model_costs_no_query_either(django_assert_num_queries, monkeypatch):
    fails(5)

    with remembered(monkeypatch), django_assert_num_queries(0):
        assert circuits.admit(*FAL) > 0


def test_another_model_of_the_provider_goes_on():
    fails(5)

    assert circuits.admit("fal", "another") is None


def test_a_success_begins_the_count_anew():
    fails(4)
    circuits.note_success(*FAL)
    fails(4)

    assert (row().status, row().failures) == ("closed", 4)


@pytest.mark.parametrize("code", ["CONTENT_REFUSED", "PROVIDER_REJECTED", "RATE_LIMITED", "MEDIA_FAILED", "INTERNAL"])
def test_what_says_nothing_about_the_provider_is_not_counted(code):
    fails(9, code)

    assert not Circuit.objects.exists()


def test_our_own_machine_is_never_paused(django_assert_num_queries):
    with django_assert_num_queries(0):
        fails(9, "PROVIDER_FAILED", (LOCAL, ""))
        circuits.note_success(LOCAL, "")
        assert circuits.admit(LOCAL, "") is None


def test_the_settings_say_after_how_many_failures_and_for_how_long(settings):
    settings.ZAP_BREAKER_FAILURES, settings.ZAP_BREAKER_PAUSE_S = 1, 7

    fails(1)

    assert 1 <= circuits.admit(*FAL) <= 7


def test_after_the_pause_exactly_one_submission_is_let_through():
    fails(5)
    let_the_pause_end()

    answers = at_once(12, lambda: circuits.admit(*FAL))

    assert answers.count(None) == 1
    assert all(1 <= wait <= circuits.LOOK_AGAIN_S for wait in answers if wait is not None)
    assert row().status == "half_open"


def test_a_process_that_was_late_to_look_does_not_let_a_second_one_through(monkeypatch):
    fails(5)
    let_the_pause_end()
    circuits.admit("fal", "another")
    Circuit.objects.update(status="half_open", retry_at=Now() + timedelta(seconds=100))  # by another process

    assert circuits.admit(*FAL) == circuits.LOOK_AGAIN_S


def test_nobody_is_told_to_ask_again_in_no_time(monkeypatch):
    fails(5)
    left_s = iter([0.0, 0.5])  # the pause was over, and another process has made it longer
    monkeypatch.setattr(circuits._TROUBLED, "wait_s", lambda key: next(left_s))

    assert circuits.admit(*FAL) == 1


def test_its_success_closes_the_circuit():
    fails(5)
    let_the_pause_end()
    circuits.admit(*FAL)

    circuits.note_success(*FAL)

    assert circuits.admit(*FAL) is None
    assert (row().status, row().failures, row().pauses, row().retry_at) == ("closed", 0, 0, None)


def test_its_failure_opens_the_circuit_for_twice_as_long():
    fails(5)
    let_the_pause_end()
    circuits.admit(*FAL)

    fails(1)

    assert (row().status, row().pauses, pause_s()) == ("open", 2, 120)


def test_no_pause_is_longer_than_an_hour():
    fails(5)
    Circuit.objects.update(pauses=5000)
    let_the_pause_end()
    circuits.admit(*FAL)

    fails(1)

    assert (row().pauses, pause_s()) == (5001, 3600)


def test_a_look_that_never_reports_is_given_up_and_another_let_through():
    fails(5)
    let_the_pause_end()
    assert circuits.admit(*FAL) is None
    assert circuits.admit(*FAL) is not None

    let_the_pause_end()

    assert circuits.admit(*FAL) is None


def test_jobs_that_were_sent_before_and_fail_late_make_no_pause_longer():
    fails(5)

    fails(20)

    assert (row().status, row().failures, row().pauses, pause_s()) == ("open", 25, 1, 60)


def test_failures_that_come_at_once_are_all_counted():
    at_once(12, lambda: circuits.note_failure(*FAL, "PROVIDER_FAILED"))

    assert (row().status, row().failures, row().pauses) == ("open", 12, 1)


def test_a_reset_lets_everything_through_at_once():
    fails(5)

    circuits.reset(row(), actor="user:1")

    assert circuits.admit(*FAL) is None
    assert (row().status, row().failures) == ("closed", 0)


def test_a_look_whose_transaction_is_undone_was_never_let_through():
    fails(5)
    let_the_pause_end()

    with transaction.atomic():
        circuits.admit(*FAL)
        transaction.set_rollback(True)

    circuits.forget()
    assert circuits.admit(*FAL) is None


MINE, THEIRS = "fal:mine", "fal:theirs"


def refused(times, account=MINE, code="KEY_INVALID"):
    for _ in range(times):
        circuits.note_failure(*FAL, code, account=account)


@pytest.mark.parametrize("code", sorted(circuits.COUNTED_OF_ACCOUNTS))
def test_a_refused_account_is_paused_alone(code):
    refused(5, code=code)

    assert circuits.admit("fal", account=MINE) > 0
    assert circuits.admit("fal", account=THEIRS) is None
    assert circuits.admit(*FAL) is None
    circuit = Circuit.objects.get()
    assert (circuit.model, circuit.account, circuit.error, circuit.status) == ("", MINE, code, "open")


def test_an_account_that_delivers_again_goes_on():
    refused(5)

    circuits.note_success(*FAL, account=THEIRS)
    assert circuits.admit("fal", account=MINE) > 0

    circuits.note_success(*FAL, account=MINE)
    assert circuits.admit("fal", account=MINE) is None


@pytest.mark.parametrize("account", ["", "none"])
def test_where_there_is_no_account_there_is_none_to_pause(account):
    refused(9, account=account)

    assert not Circuit.objects.exists()


def a_look_by(attempt):
    fails(5)
    let_the_pause_end()
    assert circuits.admit(*FAL, attempt=attempt) is None
    assert circuits.admit(*FAL, attempt=attempt + 1) is not None


def test_a_look_that_was_not_sent_is_given_back_and_another_may():
    a_look_by(7)

    circuits.give_back(*FAL, attempt=7)

    assert circuits.admit(*FAL, attempt=8) is None
    assert (row().status, row().probe, row().pauses) == ("half_open", 8, 1)


def test_nobody_gives_back_the_look_of_another():
    a_look_by(7)

    circuits.give_back(*FAL, attempt=8)

    assert circuits.admit(*FAL, attempt=8) is not None
    assert (row().status, row().probe) == ("half_open", 7)


@pytest.mark.parametrize("code", ["CONTENT_REFUSED", "KEY_INVALID"])
def test_a_look_that_shows_nothing_of_the_model_is_given_back(code):
    a_look_by(7)

    circuits.note_failure(*FAL, code, account=MINE, attempt=7)

    assert circuits.admit(*FAL, attempt=8) is None


def test_an_opened_circuit_is_not_given_back_by_the_look_that_opened_it():
    a_look_by(7)
    circuits.note_failure(*FAL, "PROVIDER_FAILED", attempt=7)

    circuits.give_back(*FAL, attempt=7)

    assert circuits.admit(*FAL, attempt=8) is not None
