import pytest
from django.contrib.auth.models import User

from accounts.caller import Scope
from accounts.models import Secret, SecretAccess
from accounts.vault import keeping
from accounts.vault.access import Use
from accounts.vault.credentials import credential
from accounts.vault.sets import read_sets
from providers import registry
from providers.emulator.server import Emulator
from tests.integration.people import bearer
from tests.integration.vault.acme import Acme
from tests.integration.vault.conftest import CANARY

pytestmark = pytest.mark.django_db
RUN = "run_0123456789abcdef"
ALL = [
    ("get", "/api/secrets"),
    ("put", "/api/secrets/fal"),
    ("delete", "/api/secrets/fal"),
    ("post", "/api/secrets/fal/test"),
    ("delete", f"/api/secrets/runs/{RUN}"),
    ("get", "/api/secrets/accesses"),
]
OPERATORS = [
    ("get", "/api/secrets/operator"),
    ("put", "/api/secrets/operator/fal"),
    ("delete", "/api/secrets/operator/fal"),
    ("post", "/api/secrets/operator/fal/test"),
]
BODY = {"fal_key": CANARY}


def shown(response):
    assert CANARY not in response.content.decode()
    return response.json()


def send_along(owner, run=RUN):
    keeping.keep_for_request(read_sets({"fal": BODY}), request_ref=run, owner_id=owner.pk, by="test")


def test_a_key_is_set_listed_and_taken_back(api, alice):
    put = shown(api(alice, "put", "/api/secrets/fal", BODY))
    listed = shown(api(alice, "get", "/api/secrets"))

    assert listed["secrets"] == [put]
    assert (put["provider"], put["runId"], put["rotatedAt"]) == ("fal", None, None)
    assert put["values"] == [
        {"name": "fal_key", "lastFour": CANARY[-4:], "fingerprint": put["values"][0]["fingerprint"]}
    ]
    assert put["setBy"].startswith("token:zap_")
    assert put["createdAt"] <= put["updatedAt"]

    for _ in range(2):
        assert api(alice, "delete", "/api/secrets/fal").status_code == 204
    assert shown(api(alice, "get", "/api/secrets"))["secrets"] == []


def test_setting_twice_is_setting_once(api, alice):
    first = shown(api(alice, "put", "/api/secrets/fal", BODY))
    again = shown(api(alice, "put", "/api/secrets/fal", BODY))

    assert {**first, "updatedAt": 0} == {**again, "updatedAt": 0}
    assert Secret.objects.count() == 1


def test_the_list_says_whose_key_would_be_used(api, alice, sam, monkeypatch):
    def uses(user):
        rows = {row["provider"]: row for row in shown(api(user, "get", "/api/secrets"))["providers"]}
        assert rows["fal"]["names"] == ["fal_key"]
        assert (rows["mock"]["names"], rows["mock"]["uses"]) == ([], "none")
        return rows["fal"]["uses"]

    assert (uses(alice), uses(sam)) == (None, None)
    monkeypatch.setenv("FAL_KEY", "of-environment")
    assert (uses(alice), uses(sam)) == (None, "operator")
    api(alice, "put", "/api/secrets/fal", BODY)
    assert uses(alice) == "creator"


@pytest.mark.parametrize(("method", "path"), ALL + OPERATORS)
def test_nobody_without_a_login_comes_in(api, method, path):
    assert api(None, method, path, BODY).status_code == 401


@pytest.mark.parametrize(("method", "path"), ALL + OPERATORS)
def test_a_token_needs_the_scope(client, sam, method, path):
    headers = bearer(sam, [scope for scope in Scope if scope is not Scope.SECRETS])

    answer = getattr(client, method)(path, BODY, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert not Secret.objects.exists()


@pytest.mark.parametrize(("method", "path"), OPERATORS)
def test_the_operator_s_keys_are_for_staff(api, alice, method, path):
    keeping.put("fal", BODY, owner_id=None, by="test")

    answer = api(alice, method, path, {"fal_key": "another-one"})

    assert answer.status_code == 403
    assert Secret.objects.filter(owner=None, last_four=CANARY[-4:]).count() == 1
    assert not SecretAccess.objects.exists()


def test_staff_set_and_see_the_operator_s_keys_apart_from_their_own(api, sam):
    put = shown(api(sam, "put", "/api/secrets/operator/fal", BODY))

    assert shown(api(sam, "get", "/api/secrets/operator"))["secrets"] == [put]
    assert shown(api(sam, "get", "/api/secrets"))["secrets"] == []
    assert Secret.objects.get().owner is None

    assert api(sam, "delete", "/api/secrets/fal").status_code == 204
    assert Secret.objects.count() == 1
    assert api(sam, "delete", "/api/secrets/operator/fal").status_code == 204
    assert Secret.objects.count() == 0


def test_two_owners_never_see_each_other_s(api, alice, bob, sam):
    api(alice, "put", "/api/secrets/fal", BODY)
    send_along(alice)
    use = Use(why="submit", used_for=f"user:{alice.pk}", run_id=RUN)
    credential("fal", owner_id=alice.pk, request_ref=RUN, use=use)

    assert shown(api(bob, "get", "/api/secrets"))["secrets"] == []
    assert shown(api(bob, "get", "/api/secrets/accesses"))["accesses"] == []
    assert api(bob, "delete", "/api/secrets/fal").status_code == 204
    assert api(bob, "delete", f"/api/secrets/runs/{RUN}").status_code == 204
    assert Secret.objects.filter(owner=alice).count() == 2
    assert shown(api(sam, "get", "/api/secrets"))["secrets"] == []


def test_what_was_sent_along_is_listed_with_its_run_and_taken_back_with_it(api, alice):
    api(alice, "put", "/api/secrets/fal", BODY)
    send_along(alice)

    listed = shown(api(alice, "get", "/api/secrets"))["secrets"]
    assert [one["runId"] for one in listed] == [None, RUN]
    assert listed[0]["values"][0]["fingerprint"] == listed[1]["values"][0]["fingerprint"]

    assert api(alice, "delete", f"/api/secrets/runs/{RUN}").status_code == 204
    assert [one["runId"] for one in shown(api(alice, "get", "/api/secrets"))["secrets"]] == [None]


def test_accesses_are_read_by_their_owner_and_by_staff_page_by_page(api, alice, sam):
    keeping.put("fal", BODY, owner_id=alice.pk, by="test")
    keeping.put("fal", BODY, owner_id=None, by="test")
    for step in ("one", "two"):
        use = Use(why="submit", used_for=f"user:{alice.pk}", run_id=RUN, step_id=step, attempt=1)
        credential("fal", owner_id=alice.pk, use=use)
    credential("fal", owner_id=sam.pk, use=Use(why="poll", used_for=f"user:{sam.pk}"))

    newest = shown(api(alice, "get", "/api/secrets/accesses?limit=1"))
    older = shown(api(alice, "get", f"/api/secrets/accesses?limit=1&cursor={newest['nextCursor']}"))
    everybody = shown(api(sam, "get", "/api/secrets/accesses"))["accesses"]

    assert [newest["accesses"][0]["stepId"], older["accesses"][0]["stepId"]] == ["two", "one"]
    assert older["nextCursor"] is None
    row = newest["accesses"][0]
    assert (row["keySource"], row["userId"], row["why"], row["runId"]) == ("creator", str(alice.pk), "submit", RUN)
    assert [(row["keySource"], row["userId"]) for row in everybody] == [
        ("operator", None),
        ("creator", str(alice.pk)),
        ("creator", str(alice.pk)),
    ]
    of_run = shown(api(sam, "get", f"/api/secrets/accesses?runId={RUN}&provider=fal&since=0"))["accesses"]
    assert [row["userId"] for row in of_run] == [str(alice.pk)] * 2
    assert shown(api(sam, "get", "/api/secrets/accesses?provider=gmi"))["accesses"] == []


# --- what is wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/api/secrets/nobody", BODY, 404, "NOT_FOUND"),
        ("/api/secrets/mock", BODY, 422, "INVALID_INPUT"),
        ("/api/secrets/fal", {}, 422, "INVALID_INPUT"),
        ("/api/secrets/fal", {"fal_key": f"{CANARY}\r\nX-Evil: 1"}, 422, "INVALID_INPUT"),
        ("/api/secrets/fal", {"fal_key": [CANARY]}, 422, "INVALID_INPUT"),
        ("/api/secrets/fal", {CANARY: "fal_key"}, 422, "INVALID_INPUT"),
        ("/api/secrets/fal", [CANARY], 400, "MALFORMED_REQUEST"),
        ("/api/secrets/fal", {"fal_key": CANARY + "\0"}, 400, "MALFORMED_REQUEST"),
        ("/api/secrets/FAL", BODY, 404, "NOT_FOUND"),
        ("/api/secrets/operator", BODY, 405, "METHOD_NOT_ALLOWED"),
        ("/api/secrets/runs/x", BODY, 404, "NOT_FOUND"),
        (f"/api/secrets/{'a' * 41}", BODY, 404, "NOT_FOUND"),
        ("/api/secrets/fal%00", BODY, 404, "NOT_FOUND"),
    ],
)
def test_what_is_wrong_is_refused_without_a_word_of_it(api, sam, caplog, path, body, status, code):
    caplog.set_level("DEBUG")

    answer = api(sam, "put", path, body)

    assert (answer.status_code, shown(answer)["code"]) == (status, code)
    assert CANARY not in caplog.text
    assert not Secret.objects.exists()


def test_a_form_is_no_way_to_set_a_key(client, alice):
    answer = client.put(
        "/api/secrets/fal", f"fal_key={CANARY}", content_type="application/x-www-form-urlencoded", headers=bearer(alice)
    )

    assert answer.status_code == 415


def test_a_browser_needs_its_csrf_token(alice):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(pk=alice.pk))

    assert browser.get("/api/secrets").status_code == 200
    assert browser.put("/api/secrets/fal", BODY, content_type="application/json").status_code == 403
    assert not Secret.objects.exists()


def test_without_a_key_of_its_own_the_server_says_so(api, alice, settings):
    settings.ZAP_SECRET_KEYS = []

    answer = api(alice, "put", "/api/secrets/fal", BODY)

    assert (answer.status_code, shown(answer)["code"]) == (503, "VAULT_CLOSED")
    assert "ZAP_SECRET_KEYS" in answer.json()["remediation"]


# --- trying a key ---------------------------------------------------------------------------------------------------


@pytest.fixture
def fal(monkeypatch):
    with Emulator() as emulator:
        monkeypatch.setenv("FAL_BASE_URL", emulator.urls["fal"])
        yield emulator.desks["fal"]


def test_a_key_is_tried_at_its_provider_and_nothing_is_bought(api, alice, fal):
    api(alice, "put", "/api/secrets/fal", BODY)

    tried = shown(api(alice, "post", "/api/secrets/fal/test"))

    assert tried == {"provider": "fal", "keySource": "creator", "ok": True, "code": None, "message": ""}
    assert fal.journal.document()["submissions"] == []
    assert SecretAccess.objects.get().why == "test"


def test_a_key_that_the_provider_does_not_take_is_named(api, alice, fal):
    api(alice, "put", "/api/secrets/fal", {"fal_key": "invalid"})

    tried = shown(api(alice, "post", "/api/secrets/fal/test"))

    assert (tried["ok"], tried["code"], tried["keySource"]) == (False, "KEY_INVALID", "creator")


def test_a_provider_that_does_not_answer_leaves_it_open(api, alice, monkeypatch):
    monkeypatch.setenv("FAL_BASE_URL", "http://127.0.0.1:9")
    api(alice, "put", "/api/secrets/fal", BODY)

    tried = shown(api(alice, "post", "/api/secrets/fal/test"))

    assert (tried["ok"], tried["code"]) == (None, "PROVIDER_UNAVAILABLE")


def test_without_a_key_there_is_nothing_to_try(api, alice):
    tried = shown(api(alice, "post", "/api/secrets/fal/test"))

    assert (tried["ok"], tried["code"], tried["keySource"]) == (False, "KEY_MISSING", None)
    assert api(alice, "post", "/api/secrets/nobody/test").status_code == 404


def test_a_provider_that_cannot_tell_says_so(api, alice, monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS.entries, "acme", Acme())
    api(alice, "put", "/api/secrets/acme", {"acme_key": CANARY})

    tried = shown(api(alice, "post", "/api/secrets/acme/test"))

    assert (tried["ok"], tried["code"], tried["keySource"]) == (None, None, "creator")


def test_staff_try_the_operator_s_key_and_not_their_own(api, sam, fal):
    api(sam, "put", "/api/secrets/fal", {"fal_key": "invalid"})
    api(sam, "put", "/api/secrets/operator/fal", BODY)

    assert shown(api(sam, "post", "/api/secrets/operator/fal/test"))["ok"] is True
    assert shown(api(sam, "post", "/api/secrets/fal/test"))["ok"] is False
