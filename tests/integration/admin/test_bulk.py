"""Orders for many rows: one request, one line of the audit trail a row, and few words."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from core import keyset
from notifications import outbox
from notifications.models import Delivery, Endpoint
from runs.admin.runs import RunAdmin
from runs.models import Run, RunShare
from tests.factories import make_run, planned
from tests.integration.money import bury

pytestmark = pytest.mark.django_db
RUNS = "/admin/runs/run/"


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


@pytest.fixture
def press(client, operator):
    """Order something; what was told."""

    def order(page, action, *rows, **more):
        answer = client.post(page, {"action": action, "_selected_action": rows} | more, follow=True)
        assert answer.status_code == 200
        return [str(message) for message in answer.context["messages"]]

    return order


def noted():
    return [(entry.user.username, entry.get_change_message()) for entry in LogEntry.objects.order_by("pk")]


def test_what_stands_on_other_pages_too_is_canceled_as_far_as_one_may(press, monkeypatch):
    monkeypatch.setattr(RunAdmin, "list_per_page", 2)
    monkeypatch.setattr(keyset, "AT_ONCE", 4)
    runs = [make_run(planned("clip")) for _ in range(5)]
    oldest, newest = runs[0], runs[-1]

    told = press(RUNS, "cancel_selected", newest.pk, select_across="1")

    assert told[0].startswith("4 runs were canceled.")
    assert Run.objects.exclude(status="canceled").get() == oldest
    assert noted() == [("op", "Canceled.")] * 4


def test_an_order_for_other_pages_stays_within_the_filter(press):
    failed, going = bury(), make_run(planned("clip"))

    press(f"{RUNS}?status=failed", "cancel_selected", failed.pk, select_across="1")

    assert Run.objects.get(pk=going.pk).status != "canceled"


def test_a_thousand_rows_may_be_ticked_at_once(press):
    run = make_run(planned("clip"))

    press(RUNS, "cancel_selected", run.pk, *range(10**9, 10**9 + 999))

    assert Run.objects.get(pk=run.pk).status == "canceled"


def test_of_many_refusals_the_first_are_told_and_the_rest_counted(press):
    runs = [make_run(planned("clip")) for _ in range(23)]

    told = press(RUNS, "retry_selected", *(run.pk for run in runs))

    assert len(told) == 21
    assert told[-1] == "… and 3 more."


def test_what_was_turned_off_sent_again_and_revoked_is_kept(press, operator):
    now = timezone.now()
    receiver = Endpoint.objects.create(owner=operator, hook_id="hook_1", url="https://example.com/", events=[])
    sent = Delivery.objects.create(
        owner=operator, event_id="evt_1", type="run.done", data={}, status="failed", due_at=None, ended_at=now
    )
    share = RunShare.objects.create(
        share_id="share_1", run=bury(), digest="d", shared_by="user:1", expires_at=now + timedelta(days=365)
    )
    task = PeriodicTask.objects.first()

    press("/admin/notifications/delivery/", "resend", sent.pk)
    press("/admin/notifications/endpoint/", "turn_off", receiver.pk)
    press("/admin/runs/runshare/", "revoke_shares", share.pk)
    press("/admin/django_celery_beat/periodictask/", "disable_tasks", task.pk)

    assert noted() == [("op", word) for word in ("Sent again.", "Turned off.", "Revoked.", "Disabled.")]
    share.refresh_from_db()
    assert share.revoked_at is not None


def test_what_waits_to_go_out_is_not_counted_to_the_end(operator, monkeypatch):
    monkeypatch.setattr(outbox, "_COUNTED", 2)
    for number in range(5):
        Delivery.objects.create(owner=operator, event_id=f"evt_{number}", type="run.done", data={})

    assert outbox.backlog()[0] == 3
