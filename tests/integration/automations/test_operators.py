"""What operators do to orders that stand: each is stopped, noted, and nothing else is touched."""

from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from automations.models import Batch, Firing, Schedule, Trigger
from automations.schedules import BY_STAFF

pytestmark = pytest.mark.django_db


@pytest.fixture
def trigger(alice):
    return Trigger.objects.create(trigger_id="trigger_1", owner=alice, made_by="user:1", slug="film", mode="mock")


@pytest.fixture
def batch(alice):
    """With one row that waits for its turn."""
    made = Batch.objects.create(
        batch_id="batch_1",
        owner=alice,
        made_by="user:1",
        slug="film",
        mode="mock",
        row_count=1,
        quote_usd=0,
        most_usd=0,
        cap_usd=Decimal(1),
    )
    Firing.objects.create(batch=made, number=1, status="due")
    return made


@pytest.fixture
def press():
    """Choose one row and order something; what was told."""

    def order(client, row, action):
        page = reverse(f"admin:automations_{row._meta.model_name}_changelist")
        answer = client.post(page, {"action": action, "_selected_action": [row.pk]}, follow=True)
        row.refresh_from_db()
        return [str(message) for message in answer.context["messages"]]

    return order


def notes(row):
    return [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=row.pk)]


def test_a_paused_schedule_says_that_staff_did_it_and_is_not_due(admin_client, press, schedule):
    made, other = schedule(), schedule()

    assert press(admin_client, made, "pause_selected") == ["1 paused."]

    assert (made.status, made.reason, made.next_at) == ("paused", BY_STAFF, None)
    assert notes(made) == ["Paused."]
    assert Schedule.objects.get(pk=other.pk).status == "active"


def test_a_schedule_that_is_paused_keeps_its_reason(admin_client, press, schedule):
    made = schedule()
    Schedule.objects.filter(pk=made.pk).update(status="paused", reason="FAILED_TOO_OFTEN", next_at=None)

    assert press(admin_client, made, "pause_selected") == ["0 paused."]

    assert made.reason == "FAILED_TOO_OFTEN"
    assert notes(made) == []


def test_a_trigger_is_revoked_once(admin_client, press, trigger):
    assert press(admin_client, trigger, "revoke_selected") == ["1 revoked."]
    first = trigger.revoked_at

    assert press(admin_client, trigger, "revoke_selected") == ["0 revoked."]
    assert trigger.revoked_at == first is not None
    assert notes(trigger) == ["Revoked."]


def test_no_further_row_of_a_canceled_batch_begins(admin_client, press, batch):
    assert press(admin_client, batch, "cancel_selected") == ["1 canceled."]

    assert batch.status in {"canceling", "canceled"}
    assert not Firing.objects.filter(batch=batch, status="due").exists()
    assert notes(batch) == ["Canceled."]


def test_a_batch_that_has_ended_is_left_alone(admin_client, press, batch):
    Batch.objects.filter(pk=batch.pk).update(status="done", finished_at=timezone.now())

    assert press(admin_client, batch, "cancel_selected") == ["0 canceled."]
    assert batch.status == "done"


def test_who_may_only_look_stops_nothing(client, press, schedule, trigger, batch):
    watcher = get_user_model().objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.set(
        Permission.objects.filter(content_type__app_label="automations", codename__startswith="view")
    )
    client.force_login(watcher)
    made = schedule()

    (
        press(client, made, "pause_selected"),
        press(client, trigger, "revoke_selected"),
        press(client, batch, "cancel_selected"),
    )

    assert (made.status, trigger.revoked_at, batch.status) == ("active", None, "open")


def test_the_pages_of_orders_and_firings_open(admin_client, schedule, trigger, batch):
    for row in (schedule(), trigger, batch, Firing.objects.get()):
        page = reverse(f"admin:automations_{row._meta.model_name}_change", args=[row.pk])
        assert admin_client.get(page).status_code == 200, row
        assert admin_client.post(page, {}).status_code == 403, row


def test_orders_are_found_by_id_owner_and_recipe(admin_client, alice, trigger):
    page = reverse("admin:automations_trigger_changelist")

    def found(term):
        return list(admin_client.get(page, {"q": term}).context["cl"].result_list)

    assert found("trigger_1") == found("alice") == found("fi") == [trigger]
    assert found("trigger_2") == found("bob") == []
