import pytest
from django.apps import apps
from django.core.management import call_command

from config import schedule

pytestmark = pytest.mark.django_db


def tasks():
    names = ["automations", "drain", "erase", "prune", "prune-deliveries"]
    return apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=names)


def rows():
    return list(tasks().order_by("name").values_list("name", "task", "queue", "interval__every", "expire_seconds"))


def test_a_migrated_database_holds_the_schedule():
    assert rows() == [
        ("automations", "automations.look", "engine", 5, 5),
        ("drain", "runs.drain", "drain", 5, 5),
        ("erase", "runs.erase", "engine", 60, 60),
        ("prune", "runs.prune", "engine", 86400, 3600),
        ("prune-deliveries", "notifications.prune", "engine", 86400, 3600),
    ]


def test_a_missing_row_comes_back():
    tasks().filter(name="drain").delete()

    assert schedule.add_missing() == ["drain"]
    assert rows()[1] == ("drain", "runs.drain", "drain", 5, 5)


def test_an_operators_edits_stay():
    tasks().filter(name="drain").update(enabled=False, queue="slow", expire_seconds=60)

    call_command("migrate", verbosity=0)

    row = tasks().get(name="drain")
    assert (row.enabled, row.queue, row.expire_seconds) == (False, "slow", 60)
    assert tasks().count() == 5


def test_a_second_time_adds_nothing():
    assert schedule.add_missing() == []
