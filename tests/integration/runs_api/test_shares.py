import json
import logging
import socket
from datetime import timedelta
from threading import Thread

import pytest
import uvicorn
from django.test import Client
from django.utils import timezone

from runs.models import Asset, RunShare
from tests.factories import make_run, planned
from tests.integration.admin.rows import make_run as make_whole_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice):
    return make_run(planned("door"), owner=alice)


@pytest.fixture
def shared(post, run, as_alice):
    """What sharing the run answered."""
    return post(f"/api/runs/{run.run_id}/share", **as_alice).json()


def path(run, *, token, end=""):
    return f"/api/runs/{run.run_id}{end}?token={token}"


def test_a_run_is_shown_to_whoever_was_given_its_token(client, run, shared):
    answer = client.get(shared["url"])

    assert answer.status_code == 200
    assert answer.json()["run"]["runId"] == run.run_id
    assert "userId" not in answer.json()["run"]
    assert client.get(path(run, token=shared["token"], end="/log")).status_code == 200
    assert client.get(f"/api/runs/{run.run_id}").status_code == 404


def test_a_token_is_kept_as_a_digest_and_shown_once(client, run, shared, as_alice):
    listed = client.get(f"/api/runs/{run.run_id}/share", headers=as_alice).json()["shares"]

    assert [one["shareId"] for one in listed] == [shared["shareId"]]
    assert shared["token"] not in json.dumps(listed)
    assert shared["token"] not in str(RunShare.objects.values().get())


def test_a_token_opens_the_assets_of_its_run_and_no_others(client, post, alice, as_alice):
    mine, other = make_whole_run(owner=alice), make_whole_run(owner=alice)
    token = post(f"/api/runs/{mine.run_id}/share", **as_alice).json()["token"]

    seen = [
        client.head(f"/api/assets/{Asset.objects.filter(run=run)[0].asset_id}/content?token={token}").status_code
        for run in (mine, other)
    ]

    assert seen == [200, 404]


def test_a_token_opens_nothing_else(client, post, run, shared, alice):
    other = make_run(planned("door"), owner=alice)
    token = shared["token"]

    assert client.get(path(other, token=token)).status_code == 404
    assert client.get(f"/api/runs?token={token}").status_code == 401
    assert client.get(path(run, token=token, end="/share")).status_code == 404
    for verb in ("cancel", "fork", "feedback", "share"):
        assert post(path(run, token=token, end=f"/{verb}"), {}).status_code == 404
    run.refresh_from_db()
    assert run.status == "queued"


def test_a_token_is_no_key(client, shared):
    answer = client.get("/api/runs", headers={"Authorization": f"Bearer {shared['token']}"})

    assert answer.status_code == 401


def test_a_revoked_token_opens_nothing(client, run, shared, as_alice):
    where = f"/api/runs/{run.run_id}/share/{shared['shareId']}"

    first, again = (client.delete(where, headers=as_alice).status_code for _ in range(2))

    answer = client.get(shared["url"])
    assert (first, again) == (204, 204)
    assert (answer.status_code, answer.json()["code"]) == (401, "SHARE_REFUSED")
    assert client.get(f"/api/runs/{run.run_id}/share", headers=as_alice).json()["shares"][0]["state"] == "revoked"


def test_a_token_ends(client, post, run, as_alice):
    made = post(f"/api/runs/{run.run_id}/share", {"expiresInS": 60}, **as_alice).json()
    lasts_ms = made["expiresAt"] - made["createdAt"]
    past = timezone.now() - timedelta(seconds=1)
    RunShare.objects.update(created_at=past - timedelta(minutes=1), expires_at=past)

    assert lasts_ms == pytest.approx(60_000, abs=10_000)
    assert client.get(made["url"]).json()["code"] == "SHARE_REFUSED"


def test_its_owner_needs_no_token_and_a_dead_one_does_no_harm(client, run, as_alice):
    assert client.get(path(run, token="share_x"), headers=as_alice).status_code == 200


def test_only_the_owner_and_staff_share_a_run(client, post, run, shared, as_bob, as_staff):
    where = f"/api/runs/{run.run_id}/share"

    assert post(where, **as_bob).status_code == 404
    assert client.get(where, headers=as_bob).status_code == 404
    assert client.delete(f"{where}/{shared['shareId']}", headers=as_bob).status_code == 404
    assert post(where, **as_staff).status_code == 201
    assert client.get(shared["url"]).status_code == 200


def test_the_share_of_another_run_is_not_revoked(client, run, shared, alice, as_alice):
    other = make_run(planned("door"), owner=alice)

    assert client.delete(f"/api/runs/{other.run_id}/share/{shared['shareId']}", headers=as_alice).status_code == 404
    assert client.get(shared["url"]).status_code == 200


@pytest.mark.parametrize("seconds", [59, 90 * 86_400 + 1, "60"])
def test_a_time_that_is_none_is_refused(post, run, as_alice, seconds):
    assert post(f"/api/runs/{run.run_id}/share", {"expiresInS": seconds}, **as_alice).status_code == 422
    assert not RunShare.objects.exists()


def test_its_owner_sees_when_it_was_last_used(client, run, shared, as_alice):
    client.get(shared["url"])

    assert client.get(f"/api/runs/{run.run_id}/share", headers=as_alice).json()["shares"][0]["lastUsedAt"] is not None


def test_an_answer_to_a_token_sends_no_referrer_on(client, run, shared, as_alice):
    assert client.get(shared["url"])["Referrer-Policy"] == "no-referrer"
    assert client.get(path(run, token="x"))["Referrer-Policy"] == "no-referrer"
    assert client.get(f"/api/runs/{run.run_id}", headers=as_alice)["Referrer-Policy"] != "no-referrer"


def test_a_problem_does_not_repeat_the_token(client, run, shared, alice):
    other = make_run(planned("door"), owner=alice)

    for where in (path(other, token=shared["token"]), f"/api/nowhere?token={shared['token']}"):
        assert shared["token"] not in client.get(where).content.decode()


def test_an_operator_sees_and_revokes_read_tokens(client, shared, django_user_model):
    client.force_login(django_user_model.objects.create_superuser("root", password="x"))
    share = RunShare.objects.get()

    listed = client.get("/admin/runs/runshare/").content.decode()
    client.post("/admin/runs/runshare/", {"action": "revoke_shares", "_selected_action": [share.pk]})

    assert share.share_id in listed
    assert share.digest not in client.get(f"/admin/runs/runshare/{share.pk}/change/").content.decode()
    assert Client().get(shared["url"]).status_code == 401


def test_the_servers_own_log_of_requests_hides_the_token(caplog):
    from config.asgi import application

    logger = logging.getLogger("uvicorn.access")
    logger.addHandler(caplog.handler)
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None, log_level="info"))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        with socket.create_connection(listening.getsockname(), timeout=30) as visitor:
            visitor.sendall(b"GET /healthz?token=open-sesame HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: visitor.recv(65536), b""))
    finally:
        server.should_exit = True
        thread.join()
        logger.removeHandler(caplog.handler)

    assert answer.startswith(b"HTTP/1.1 200")
    assert "GET /healthz?token=… HTTP/1.1" in caplog.text
    assert "sesame" not in caplog.text
