"""A small world that any request may be thrown at: Alice's things, one run that nobody owns, and who calls."""

import socket
from datetime import timedelta

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.utils import timezone

from accounts.caller import Caller, Scope
from accounts.tokens import create_token
from runs.shares import make_share
from tests.integration.admin.rows import make_run
from tests.integration.flows.making import claim_one, dispatch, sync
from tests.integration.people import bearer, make_user
from tests.integration.recipes import door
from zaps.catalogue import Entry, publish


@pytest.fixture
def one_connection(db):
    """As in Django's test client: a request does not close the connection whose transaction the test is in."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def nowhere(host, *args, **kwargs):
    """No vendor is asked for anything."""
    raise socket.gaierror(socket.EAI_NONAME, f"{host} has no address here")


@pytest.fixture
def set_up(settings, tmp_path, monkeypatch):
    """Plan and mock for everybody, no limits of rate, media in a folder of its own, and nobody to be reached."""
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ZAP_OPEN_MODES = ("plan", "mock")
    settings.ZAP_CALLS_PER_MINUTE = settings.ZAP_OPEN_CALLS_PER_MINUTE = settings.ZAP_LOGINS_PER_MINUTE = 0
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)
    monkeypatch.setattr("socket.getaddrinfo", nowhere)


@pytest.fixture
def flow_names(one_connection):
    """What stands in the addresses of flows, where a run is another thing: one that a worker is at."""
    sync("ci")
    dispatch("e1", at=None)
    lease = claim_one(at=None)
    return {"event_id": "e1", "name": "ci", "run_id": lease.run_id, "attempt_id": lease.attempt_id}


@pytest.fixture
def world(one_connection, set_up):
    """What stands in an address, by who calls, and their headers."""
    alice = make_user("alice")
    publish(Entry(source=door(), prompts={}, visibility="public"), author=alice)
    token, _ = create_token(alice, "old", ["read"])
    hers, nobodys = make_run(owner=alice, status="failed", clips=1), make_run(status="waiting", clips=1)
    caller = Caller(user=alice, principal_id="user:1", scopes=frozenset(Scope))
    share, _ = make_share(hers, caller, lasts=timedelta(1), at=timezone.now())
    names = {
        "slug": "blue-door",
        "prefix": token.prefix,
        "share_id": share.share_id,
        "direct_id": "direct_0000000000000000",
        "provider": "fal",
        "token": "0" * 32,
    }
    return {
        who: (headers, {**names, "run_id": run.run_id, "asset_id": run.assets.first().asset_id})
        for who, headers, run in (
            ("nobody", {"X-Zap-Session": "s1"}, nobodys),
            ("owner", bearer(alice), hers),
            ("staff", bearer(make_user("sam", staff=True)), hers),
        )
    }
