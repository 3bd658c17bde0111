"""Who did what, in one list."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from accounts.tokens import create_token
from runs.models import Run
from tests.factories import make_run, planned
from tests.integration.money import bury, pause

pytestmark = pytest.mark.django_db
AUDIT = "/admin/admin/logentry/"


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


def told():
    return [
        (entry.user.username, entry.object_repr, entry.get_change_message())
        for entry in LogEntry.objects.order_by("pk")
    ]


def press(client, page, action, *rows):
    client.post(page, {"action": action, "_selected_action": [row.pk for row in rows]})


def test_every_action_of_the_admin_is_kept_once_for_each_row_that_it_changed(client, operator):
    going, ended, failed, circuit = make_run(planned("a")), bury(), bury(), pause()
    token, _ = create_token(operator, "laptop")

    press(client, "/admin/runs/run/", "cancel_selected", going, ended)
    press(client, "/admin/runs/run/", "retry_selected", ended)
    press(client, "/admin/runs/deadletter/", "redrive_selected", failed.steps.get())
    press(client, "/admin/runs/circuit/", "reset_selected", circuit)
    press(client, "/admin/accounts/apitoken/", "revoke_tokens", token)

    assert told() == [
        ("op", going.run_id, "Canceled."),
        ("op", ended.run_id, "Retry: made to go on."),
        ("op", failed.run_id, "Redriven."),
        ("op", str(circuit), "Reset."),
        ("op", str(token), "Revoked."),
    ]


def test_what_staff_change_through_the_interface_is_kept(client, operator):
    run = make_run(planned("a"))
    token, plain = create_token(operator, "laptop")

    answer = client.post(
        f"/api/runs/{run.run_id}/cancel?token=hidden",
        {},
        "application/json",
        headers={"Authorization": f"Bearer {plain}"},
    )

    assert answer.status_code == 200
    path = f"/api/runs/{run.run_id}/cancel"
    assert told() == [("op", path, f"POST {path}: 200, with key {token.prefix}")]


def test_what_is_refused_or_only_looked_at_is_not_kept(client, operator):
    run = bury()

    assert client.post(f"/api/runs/{run.run_id}/approve", {}, "application/json").status_code >= 400
    assert client.get("/api/runs").status_code == 200

    assert told() == []


def test_what_creators_do_to_their_own_is_no_matter_of_this_list(client):
    alice = get_user_model().objects.create_user("alice")
    client.force_login(alice)
    run = make_run(planned("a"), owner=alice)

    assert client.post(f"/api/runs/{run.run_id}/cancel", {}, "application/json").status_code == 200

    assert Run.objects.get().status == "canceled"
    assert told() == []


def test_the_list_is_searched_and_leads_to_the_row(client, operator):
    run, other = make_run(planned("a")), make_run(planned("a"))
    press(client, "/admin/runs/run/", "cancel_selected", run, other)

    def listed(query):
        return client.get(f"{AUDIT}{query}").content.decode()

    assert f"/admin/runs/run/{run.pk}/change/" in listed("?q=op")
    assert other.run_id not in listed(f"?q={run.run_id}")
    assert run.run_id in listed(f"?q={run.pk}")
    assert run.run_id in listed("?done=2")
    assert run.run_id not in listed("?done=3")
    assert client.get(f"{AUDIT}{LogEntry.objects.first().pk}/change/").status_code == 200


def test_nobody_changes_the_list(client, operator):
    press(client, "/admin/runs/run/", "cancel_selected", make_run(planned("a")))
    entry = LogEntry.objects.get()

    assert client.post(f"{AUDIT}{entry.pk}/change/", {"change_message": "x"}).status_code == 403
    assert client.post(f"{AUDIT}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"{AUDIT}add/").status_code == 403
    press(client, AUDIT, "delete_selected", entry)
    assert LogEntry.objects.count() == 1


def test_only_who_may_sees_it(client):
    watcher = get_user_model().objects.create_user("watcher", is_staff=True)
    client.force_login(watcher)
    assert client.get(AUDIT).status_code == 403

    watcher.user_permissions.set(Permission.objects.filter(codename="view_logentry"))
    assert client.get(AUDIT).status_code == 200
