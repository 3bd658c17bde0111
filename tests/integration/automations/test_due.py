from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest
from django.db import connection, transaction

from accounts.tokens import create_token, revoke
from automations.due import fire_due
from automations.look import look
from automations.models import Firing, Schedule
from runs.engine import drain
from runs.models import CronLog, Run
from tests.integration.automations.conftest import at, end

pytestmark = pytest.mark.django_db


def fired():
    return list(Firing.objects.order_by("due_at").values_list("due_at", "status", "times"))


def test_a_schedule_that_is_due_makes_one_run_of_its_owners(schedule, alice):
    hourly = schedule()

    fire_due(at=at("11:00"))

    run = Run.objects.get()
    assert (run.owner, run.zap_slug, run.inputs, run.provider_mode) == (alice, "blue-door", {"NAME": "Ada"}, "mock")
    assert run.principal_id == f"schedule:{hourly.schedule_id}"
    assert fired() == [(at("11:00"), "started", 1)]


def test_nothing_is_made_before_its_time(schedule):
    schedule()

    assert fire_due(at=at("10:59:59")) == 0
    assert not Run.objects.exists()


def test_a_due_time_that_is_looked_for_twice_is_fired_once(schedule):
    schedule()

    assert [fire_due(at=at("11:00")), fire_due(at=at("11:00")), fire_due(at=at("11:30"))] == [1, 0, 0]
    assert Run.objects.count() == 1


def test_of_several_missed_times_the_newest_runs_and_the_others_are_told(schedule):
    schedule()

    fire_due(at=at("14:20"))

    assert fired() == [(at("11:00"), "missed", 3), (at("14:00"), "started", 1)]
    assert Run.objects.count() == 1
    assert Schedule.objects.get().next_at == at("15:00")


def test_no_run_is_begun_while_the_last_one_is_at_work(schedule):
    schedule()
    fire_due(at=at("11:00"))

    fire_due(at=at("12:00"))
    end()
    look(at=at("13:00"))

    assert [status for _, status, _ in fired()] == ["done", "skipped", "started"]
    assert Firing.objects.get(status="skipped").error == "STILL_AT_WORK"


def test_runs_may_be_at_work_side_by_side(schedule):
    schedule(overlap="allow")

    fire_due(at=at("11:00"))
    fire_due(at=at("12:00"))

    assert [status for _, status, _ in fired()] == ["started", "started"]


def test_a_worker_that_dies_in_the_middle_leaves_the_time_due(schedule, monkeypatch):
    schedule()
    with monkeypatch.context() as patch:
        patch.setattr(Firing, "save", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            fire_due(at=at("11:00"))
    assert (Run.objects.count(), fired()) == (0, [])

    fire_due(at=at("11:00"))

    assert (Run.objects.count(), len(fired())) == (1, 1)


def test_a_schedule_that_fails_too_often_pauses_itself_and_says_why(schedule):
    schedule(give_up_after=2)
    for hour in ("11:00", "12:00"):
        look(at=at(hour))
        end(status="failed", error="PROVIDER_REJECTED")

    look(at=at("13:00"))

    paused = Schedule.objects.get()
    assert (paused.status, paused.reason, paused.error) == ("paused", "FAILED_TOO_OFTEN", "PROVIDER_REJECTED")
    assert Run.objects.count() == 2


def test_a_run_that_is_done_ends_the_row_of_failures(schedule):
    schedule(give_up_after=2)
    for hour, status in (("11:00", "failed"), ("12:00", "done"), ("13:00", "failed")):
        look(at=at(hour))
        end(status=status)

    look(at=at("14:00"))

    assert (Schedule.objects.get().status, Schedule.objects.get().failures) == ("active", 1)


def test_a_schedule_whose_owner_may_not_run_any_more_is_refused(schedule, alice):
    schedule()
    alice.is_active = False
    alice.save()

    fire_due(at=at("11:00"))

    assert Firing.objects.values_list("status", "error").get() == ("refused", "RIGHT_LOST")
    assert not Run.objects.exists()


def test_a_schedule_ends_with_the_key_that_it_was_given_with(schedule, alice):
    hourly = schedule()
    key, _ = create_token(alice, "ci")
    Schedule.objects.filter(pk=hourly.pk).update(made_by=f"token:{key.prefix}")
    fire_due(at=at("11:00"))
    end()
    revoke(key)

    look(at=at("12:00"))

    assert list(Firing.objects.order_by("due_at").values_list("status", "error")) == [
        ("done", ""), ("refused", "RIGHT_LOST")
    ]  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_of_two_workers_one_fires_and_the_other_finds_it_taken(schedule):
    hourly = schedule()

    def elsewhere():
        try:
            return fire_due(at=at("11:00"))
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Schedule.objects.select_for_update().get(pk=hourly.pk)
        assert other.submit(elsewhere).result(timeout=30) == 0

    assert fire_due(at=at("11:00")) == 1
    assert Run.objects.count() == 1


def test_the_drains_address_fires_what_is_due(schedule, client, settings, bells):
    settings.ZAP_POLL_DRAIN_SECRET = "as-secret-as-a-test-can-be"
    schedule()
    Schedule.objects.update(next_at=at("11:00"))

    answer = client.post("/api/providers/poll/drain", headers={"x-zap-cron-secret": settings.ZAP_POLL_DRAIN_SECRET})

    assert (answer.status_code, answer.json()["status"]) == (200, "success")
    assert answer.json()["processedCount"] >= 1
    assert Run.objects.count() == 1


def test_what_looks_and_fails_does_not_stop_the_drain(schedule, bells, monkeypatch):
    monkeypatch.setattr("automations.look.settle", Mock(side_effect=RuntimeError("x")))

    report = drain.run_alone(window_s=0, job_name="test")

    assert (report.errors, report.last_error) == (1, "RuntimeError: automations")
    assert CronLog.objects.get().end_time is not None
