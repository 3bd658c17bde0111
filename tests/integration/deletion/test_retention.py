"""Runs that are older than they are to be kept are deleted, a few at a time, and a log says how many."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client

from accounts.models import Retention
from runs.deletion import retention
from runs.models import CronLog, Run, RunEvent
from tests.factories import make_run, planned
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def old(bells, alice):
    """A run of Alice's that ended so many days ago."""

    def make(days, *, owner=alice, **fields):
        run = make_run(planned("a"), owner=owner)
        bells.answer_all()
        Run.objects.filter(pk=run.pk).update(finished_at=Now() - timedelta(days=days), **fields)
        return run

    return make


def left():
    return list(Run.objects.filter(deleted_at=None).order_by("pk"))


def choose(headers, days):
    return Client().put("/api/account/retention", {"days": days}, content_type="application/json", headers=headers)


def test_without_a_choice_nothing_is_ever_deleted(old):
    run = old(9999)

    assert retention.sweep() == 0
    assert (left(), CronLog.objects.count()) == ([run], 0)


def test_what_is_older_than_its_owner_keeps_runs_is_deleted(old, alice, as_alice):
    _gone, young, of_bob = old(8), old(6), old(8, owner=make_user("bob"))
    choose(as_alice, 7)

    assert retention.count_due() == (1, True)
    assert retention.sweep() == 1

    assert left() == [young, of_bob]
    log = CronLog.objects.get()
    assert (log.job_name, log.status, log.processed_count) == ("retention", "success", 1)
    assert RunEvent.objects.get(type="run.deleted").actor == "retention"


def test_what_is_marked_to_be_kept_is_spared_from_its_owners_choice(old, post, as_alice):
    run = old(8)
    choose(as_alice, 7)
    answer = post(f"/api/runs/{run.run_id}/keep", {"keep": True}, **as_alice)

    spared = retention.sweep(), answer.json()["run"]["kept"]
    post(f"/api/runs/{run.run_id}/keep", {"keep": False}, **as_alice)

    assert (spared, retention.sweep()) == ((0, True), 1)


def test_the_operators_word_is_for_everything(old, settings, as_alice):
    settings.ZAP_RETENTION_DAYS = 30
    old(31, is_kept=True)
    old(31, owner=None)
    young = old(29)

    assert retention.sweep() == 2
    assert left() == [young]


def test_nobody_keeps_runs_longer_than_the_operator(settings, as_alice):
    settings.ZAP_RETENTION_DAYS = 30

    refused, taken = choose(as_alice, 31), choose(as_alice, 30)

    assert (refused.status_code, taken.json()) == (422, {"days": 30, "mostDays": 30, "effectiveDays": 30})


def test_a_choice_that_became_too_long_counts_for_no_more_than_the_operators(settings, alice, as_alice, client):
    choose(as_alice, 90)
    settings.ZAP_RETENTION_DAYS = 30

    told = client.get("/api/account/retention", headers=as_alice).json()

    assert told == {"days": 90, "mostDays": 30, "effectiveDays": 30}


@pytest.mark.parametrize("days", [0, -1, 36_501, "7", 1.5])
def test_a_number_of_days_that_means_nothing_is_refused(as_alice, days):
    assert choose(as_alice, days).status_code == 422
    assert not Retention.objects.exists()


def test_a_choice_can_be_taken_back(as_alice):
    choose(as_alice, 7)

    assert choose(as_alice, None).json()["effectiveDays"] is None


def test_a_run_that_is_at_work_is_left_alone(old, as_alice):
    run = old(8)
    Run.objects.filter(pk=run.pk).update(status="running", due_at=Now())
    choose(as_alice, 7)

    assert retention.sweep() == 0


def test_no_more_than_fifty_go_at_once(old, as_alice, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    for _ in range(3):
        old(8)
    choose(as_alice, 7)

    assert [retention.sweep() for _ in range(3)] == [2, 1, 0]
