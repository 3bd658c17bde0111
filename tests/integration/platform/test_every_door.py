"""Owners see their own, staff see all, and nobody sees what is not theirs: at every address that there is."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from accounts.caller import Caller, Scope
from accounts.models import ApiToken
from accounts.tokens import create_token
from automations import batches, schedules, sheet, triggers
from automations.models import Batch, Schedule, Trigger
from automations.schedules import make_schedule
from automations.triggers import make_trigger
from notifications.models import Endpoint
from runs.models import Run, RunShare
from runs.shares import make_share
from tests.integration.admin.rows import make_run
from tests.integration.people import make_user
from tests.integration.platform.doors import DOORS
from tests.integration.recipes import door
from zaps.catalogue import Entry, publish
from zaps.models import Zap

ADD_A_LINE = "Every address and every method has a line in tests/integration/platform/doors.py."
OWN = "Cape Wrath"  # stands in everything that is Alice's, and in no address
WHO = ("nobody", "stranger", "owner", "staff")


def leaves(resolver, before=""):
    for one in resolver.url_patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLPattern):
            yield path, one.callback
        else:
            yield from leaves(one, path)


def routes():
    """Each address, written as in the table, and its view."""
    for path, view in leaves(get_resolver()):
        if path != "^api/":  # whatever is none of ours
            yield "/" + re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", path), view


def methods(view):
    """What the view says that it answers to; None for a plain function, which says nothing."""
    kind = getattr(view, "cls", None)
    return kind and {verb.upper() for verb in ("get", "post", "put", "patch", "delete") if hasattr(kind, verb)}


def of_admin(path):
    return path.startswith("/admin/")


@pytest.fixture
def world(transactional_db, settings, tmp_path, monkeypatch):
    """Alice's things by the names that addresses have for them, and whoever comes to see them."""
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)
    monkeypatch.setattr("automations.dispatch.ring", lambda: None)
    alice = make_user("alice")
    visitors = {"stranger": make_user("bob"), "owner": alice, "staff": make_user("sam", staff=True)}
    publish(Entry(source=door(description=OWN), prompts={}, visibility="private"), author=alice)
    run = make_run(owner=alice, status="done", clips=1)
    token, _ = create_token(alice, OWN)
    caller = Caller(user=alice, principal_id="user:1", scopes=frozenset(Scope))
    share, _ = make_share(run, caller, lasts=timedelta(days=1), at=timezone.now())
    hook = Endpoint.objects.create(
        hook_id="hook_0000000000000000", owner=alice, url="https://hooks.example.com", description=OWN, events=[]
    )
    recipe = {"slug": "blue-door", "inputs": {"NAME": OWN}, "name": OWN}
    schedule = make_schedule(schedules.Wish(cron="0 0 1 1 *", **recipe), caller, at=timezone.now())
    trigger, trigger_token = make_trigger(triggers.Wish(**recipe), caller)
    wish, now = batches.Wish(cap_usd=Decimal(1), **recipe), timezone.now()
    batch = batches.make_batch(wish, batches.quote(wish, sheet.read("NAME\nAda", "csv"), caller, at=now), caller)
    names = {
        "schedule_id": schedule.schedule_id,
        "trigger_id": trigger.trigger_id,
        "trigger_token": trigger_token,
        "batch_id": batch.batch_id,
        "run_id": run.run_id,
        "asset_id": run.assets.first().asset_id,
        "slug": "blue-door",
        "prefix": token.prefix,
        "share_id": share.share_id,
        "hook_id": hook.hook_id,
        "event_id": "evt_0000000000000000_1",
        "direct_id": "direct_0000000000000000",
        "provider": "fal",
        "token": "0" * 32,
        "verb": "cancel",
        "attempt_id": "frun_0.1",
        "name": "ci",
    }
    return names, visitors


@pytest.fixture
def knock(world):
    """knock("GET", "/api/runs/{run_id}", as_="stranger") → the answer, to a body that means nothing."""
    names, visitors = world

    def go(method, path, *, as_):
        client = Client()
        if as_ in visitors:
            client.force_login(visitors[as_])
        answer = client.generic(method, path.format(**names), b'{"nonsense": true}', content_type="application/json")
        answer.close()  # a file, or a stream, that nobody reads
        return answer

    return go


def told(answer):
    """What it says; a stream is not read, its status says enough."""
    return "" if answer.streaming else answer.content.decode()


def test_every_address_has_a_line_and_every_line_an_address():
    known = {(method, path) for method, path, *_ in DOORS}
    paths = {path for _, path in known}
    missing = [path for path, view in routes() if not of_admin(path) and path not in paths]
    missing += [
        (method, path) for path, view in routes() for method in methods(view) or () if (method, path) not in known
    ]

    assert not missing, ADD_A_LINE
    assert not paths - {path for path, _ in routes()}


def rows():
    kinds = (Run, RunShare, ApiToken, Zap, Endpoint, Schedule, Trigger, Batch)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


@pytest.mark.parametrize("who", WHO)
def test_every_door_opens_to_whom_it_should_and_strangers_see_and_change_nothing(knock, who):
    expected = {(method, path): int(columns[WHO.index(who)]) for method, path, *columns in DOORS}
    before = rows()

    seen = {(method, path): knock(method, path, as_=who) for method, path, *_ in DOORS}

    wrong = [(*one, answer.status_code, "is not", expected[one]) for one, answer in seen.items()]
    assert [line for line in wrong if line[2] != line[4]] == []
    if who in ("nobody", "stranger"):
        assert [one for one, answer in seen.items() if OWN in told(answer)] == []
        assert rows() == before


def test_what_they_are_not_shown_is_there(knock):
    assert OWN in told(knock("GET", "/api/runs/{run_id}", as_="owner"))
    assert OWN in told(knock("GET", "/api/keys", as_="owner"))
    assert OWN in told(knock("GET", "/api/zaps/{slug}", as_="owner"))


@pytest.mark.parametrize("who", ["nobody", "owner"])
def test_the_admin_is_for_staff(knock, who):
    values = {"object_id": "1", "app_label": "runs", "content_type_id": "1"}
    inner = [path for path, _ in routes() if of_admin(path) and not path.startswith(("/admin/login", "/admin/logout"))]

    opened = []
    for path in inner:
        where = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "1"), path).replace("^", "").replace("$", "")
        answer = knock("GET", where, as_=who)
        if answer.status_code != 302 or not answer["Location"].startswith("/admin/login/"):
            opened.append((where, answer.status_code))

    assert len(inner) > 50
    assert opened == []
