import pytest

from automations.due import fire_due
from automations.models import Firing
from runs.models import Run
from tests.integration.automations.conftest import at

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
