"""A key that nothing else looks like goes through a whole run; then everything that is left is searched for it."""

import base64
import logging
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.db import connection

from accounts.models import Secret, SecretAccess
from accounts.vault import keeping
from accounts.vault.credentials import Source
from accounts.vault.sets import read_sets
from providers import registry
from providers.emulator import Emulator
from runs.engine.advance import advance_run
from runs.engine.callbacks import digest_of
from runs.engine.poll import poll_attempt
from runs.engine.poller import POLLER
from runs.engine.settle import settle_attempt
from runs.engine.submit import submit_attempt
from runs.models import Attempt
from runs.states import AttemptStatus
from tests.chaos.fal import Fal, paid
from tests.factories import make_run
from tests.integration.vault.conftest import CANARY

pytestmark = pytest.mark.django_db(transaction=True)
SENT = "canary-sent-along:never-to-be-seen-again-3Kx8"
_VERBS = {
    AttemptStatus.PLANNED: submit_attempt,
    AttemptStatus.ACCEPTED: poll_attempt,
    AttemptStatus.SETTLING: settle_attempt,
}


def disguises(text):
    """What it may look like elsewhere."""
    encoded = text.encode()
    whole = [text, quote(text, safe=""), encoded.hex(), text[::-1]]
    whole += [base64.b64encode(encoded[skip:])[:-4].decode().rstrip("=") for skip in range(3)]
    return [*whole, text[:-4], text[-16:]]


def search(place, haystack):
    for secret in (CANARY, SENT):
        for needle in disguises(secret):
            assert needle not in haystack, place


def dump():
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(one)::text FROM "{table}" one')
            for (row,) in cursor.fetchall():
                yield table, row


def messages(broker):
    """Everything that the broker holds, as text; what Celery wraps in base64 is unwrapped too."""
    for name in broker.scan_iter("*"):
        kind = broker.type(name)
        values = broker.lrange(name, 0, -1) if kind == b"list" else [broker.dump(name) or b""]  # it may have run out
        for value in values:
            yield value.decode("latin-1")
            yield base64.b64decode(value.partition(b'"body": "')[2].partition(b'"')[0] or b"").decode("latin-1")


@pytest.fixture
def fal(monkeypatch, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path)},
        },
    }
    with Emulator() as emulator:
        vendor = Fal(emulator)
        monkeypatch.setenv("FAL_BASE_URL", vendor.url)
        monkeypatch.setenv("ZAP_ALLOW_LOOPBACK", "1")
        yield vendor
    POLLER.stop()


def work(run):
    """What workers would do, with the real bells ringing into the broker."""
    advance_run(run.pk)
    for _ in range(12):
        for attempt in Attempt.objects.filter(run=run, status__in=_VERBS):
            _VERBS[attempt.status](attempt.pk)
    run.refresh_from_db()


def look_everywhere(api, client, root, run):
    """(place, text) of every page and answer that speaks of the run or of the keys."""
    paths = [f"/api/runs/{run.run_id}{rest}" for rest in ("", "/attempts", "/log")]
    paths += ["/api/secrets", "/api/secrets/operator", "/api/secrets/accesses", "/api/info", "/api/runs", "/api/usage"]
    paths += ["/api/providers"]
    for path in paths:
        yield path, api(root, "get", path).content.decode()
    client.force_login(root)
    pages = ["runs/run/", f"runs/run/{run.pk}/change/", "runs/step/", "accounts/secret/", "accounts/secretaccess/"]
    pages += [f"accounts/secret/{row.pk}/change/" for row in Secret.objects.all()]
    for path in pages:
        response = client.get(f"/admin/{path}")
        assert response.status_code == 200, path
        yield path, response.content.decode()


@pytest.mark.parametrize("source", [Source.REQUEST, Source.CREATOR, Source.OPERATOR])
@pytest.mark.parametrize("fault", [None, "submit", "status"])
def test_a_key_leaves_no_trace_of_itself(api, client, caplog, capfd, broker, fal, settings, source, fault):
    settings.DEBUG = True  # errors are shown in full, statements are kept
    settings.ZAP_OPERATOR_KEYS_FOR = "everyone"
    caplog.set_level(logging.DEBUG)
    root = User.objects.create_superuser("root")
    run = make_run(paid("shot"), mode="live", owner=root)
    api(root, "put", "/api/secrets/operator/fal", {"fal_key": CANARY})
    if source is not Source.OPERATOR:
        api(root, "put", "/api/secrets/fal", {"fal_key": CANARY})
    if source is Source.REQUEST:
        sent = read_sets({"fal": {"fal_key": SENT}})
        keeping.keep_for_request(sent, request_ref=run.run_id, owner_id=root.pk, by=f"user:{root.pk}")
    if fault:
        fal.fault(fault, "garbage", times=None)

    work(run)

    assert {row.source for row in SecretAccess.objects.all()} == {str(source)}
    assert run.status == ("running" if fault == "status" else "waiting" if fault else "done")
    for place, text in [*dump(), *look_everywhere(api, client, root, run)]:
        search(place, text)
    held = list(messages(broker))
    assert any('"attempt_id"' in text for text in held)
    for text in [*held, caplog.text, *capfd.readouterr(), str(connection.queries)]:
        search("said", text)


def test_the_provider_was_given_the_key_that_was_sent_along(api, broker, fal, alice, monkeypatch):
    seen = []
    kind = type(registry.provider("fal"))
    submit = kind.submit
    monkeypatch.setattr(
        kind, "submit", lambda self, *args, **named: seen.append(named["key"]) or submit(self, *args, **named)
    )
    run = make_run(paid("shot"), mode="live", owner=alice)
    api(alice, "put", "/api/secrets/fal", {"fal_key": CANARY})
    sent = read_sets({"fal": {"fal_key": SENT}})
    keeping.keep_for_request(sent, request_ref=run.run_id, owner_id=alice.pk, by="user:1")

    work(run)

    assert (seen, run.status) == ([SENT], "done")
    assert len(fal.bought()) == 1


def test_an_error_while_a_key_is_at_hand_does_not_say_it(api, alice, fal, caplog, monkeypatch):
    def broken(self, *, key):
        raise RuntimeError("adapters break")
        yield

    api(alice, "put", "/api/secrets/fal", {"fal_key": CANARY})
    monkeypatch.setattr(type(registry.provider("fal")), "check_key", broken)

    answer = api(alice, "post", "/api/secrets/fal/test")

    assert answer.status_code == 500
    assert "adapters break" in caplog.text
    search("answer", answer.content.decode())
    search("log", caplog.text)


@pytest.mark.parametrize("breaks", ["before", "after"])
def test_a_submission_that_breaks_with_the_key_at_hand_does_not_say_it(
    api, client, caplog, capfd, broker, fal, settings, monkeypatch, breaks
):
    settings.DEBUG = True
    caplog.set_level(logging.DEBUG)
    root = User.objects.create_superuser("root")
    run = make_run(paid("shot"), mode="live", owner=root)
    api(root, "put", "/api/secrets/fal", {"fal_key": CANARY})
    kind = type(registry.provider("fal"))
    submit = kind.submit

    def broken(self, *args, **named):
        headers = {"Authorization": f"Key {named['key']}"}
        if breaks == "after":
            yield from submit(self, *args, **named)
        raise RuntimeError("adapters break") from KeyError(len(headers))

    monkeypatch.setattr(kind, "submit", broken)

    work(run)

    assert "adapters break" in caplog.text
    for place, text in [*dump(), *look_everywhere(api, client, root, run)]:
        search(place, text)
    for text in [*messages(broker), caplog.text, *capfd.readouterr()]:
        search("said", text)


def test_a_webhook_that_breaks_with_the_key_at_hand_does_not_say_it(api, client, caplog, fal, settings, monkeypatch):
    """With DEBUG on, Django's own page would show every variable on the way."""
    settings.DEBUG = True
    client.raise_request_exception = False
    caplog.set_level(logging.DEBUG)
    root = User.objects.create_superuser("root")
    run = make_run(paid("shot"), mode="live", owner=root)
    api(root, "put", "/api/secrets/fal", {"fal_key": CANARY})
    work(run)
    Attempt.objects.update(webhook_digest=digest_of("f" * 32))
    kind = type(registry.provider("fal"))

    def broken(self, hook, *, key, secret):
        raise RuntimeError(f"adapters break, {len(key)}")
        yield

    monkeypatch.setattr(kind, "read_webhook", broken)
    monkeypatch.setattr(kind, "webhook_needs_key", True)

    answer = client.post(f"/api/providers/fal/webhook/{'f' * 32}", b"{}", content_type="application/json")

    assert (answer.status_code, f"adapters break, {len(CANARY)}" in caplog.text) == (500, True)
    search("answer", answer.content.decode())
    search("log", caplog.text)
    assert "f" * 32 not in answer.content.decode()
