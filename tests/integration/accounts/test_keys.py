import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tokens import create_token, rotate
from core.errors import StaleState
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def ask(client):
    """The status and the JSON of an answer."""

    def send(method, path, headers, body=None):
        answer = client.generic(
            method, path, data="" if body is None else json.dumps(body),
            content_type="application/json", headers=headers,
        )  # fmt: skip
        return answer.status_code, answer.json() if answer.content else None

    return send


def with_token(token):
    return {"Authorization": f"Bearer {token}"}


def test_a_key_is_shown_once_and_opens_doors(ask, as_alice, alice):
    status, made = ask("POST", "/api/keys", as_alice, {"name": "laptop", "scopes": ["read"], "expiresInDays": 30})

    assert status == 201
    assert made["token"].startswith(f"{made['prefix']}_")
    assert (made["name"], made["scopes"], made["state"]) == ("laptop", ["read"], "live")
    assert made["userId"] == str(alice.pk)
    assert made["expiresAt"] - made["createdAt"] == pytest.approx(30 * 86_400_000, abs=60_000)
    assert ask("GET", "/api/runs", with_token(made["token"]))[0] == 200
    for path in ("/api/keys", f"/api/keys/{made['prefix']}"):
        assert made["token"] not in str(ask("GET", path, as_alice)[1])


def test_what_is_shown_once_is_kept_by_nobody_on_the_way(client, as_alice):
    made = client.post("/api/keys", {"name": "laptop"}, content_type="application/json", headers=as_alice)

    assert made["Cache-Control"] == "no-store"


def test_keys_are_listed_by_page_newest_first(ask, as_alice):
    names = ["one", "two", "three"]
    for name in names:
        ask("POST", "/api/keys", as_alice, {"name": name})

    first = ask("GET", "/api/keys?limit=2", as_alice)[1]
    second = ask("GET", f"/api/keys?limit=2&cursor={first['nextCursor']}", as_alice)[1]

    assert [key["name"] for key in first["keys"] + second["keys"]] == ["three", "two", "one", "test"]
    assert second["nextCursor"] is None


def test_nobody_sees_or_touches_the_keys_of_others(ask, as_alice):
    as_bob = bearer(make_user("bob"))
    prefix = ask("POST", "/api/keys", as_alice, {"name": "laptop"})[1]["prefix"]

    assert prefix not in str(ask("GET", "/api/keys", as_bob)[1])
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        assert ask(method, f"/api/keys/{prefix}{path}", as_bob, {} if method == "POST" else None)[0] == 404
    assert ApiToken.objects.get(prefix=prefix).revoked_at is None


def test_staff_see_and_revoke_the_keys_of_others_and_cannot_have_them(ask, as_alice):
    as_staff = bearer(make_user("sam", staff=True))
    prefix = ask("POST", "/api/keys", as_alice, {"name": "laptop"})[1]["prefix"]

    assert prefix in str(ask("GET", "/api/keys", as_staff)[1])
    assert ask("POST", f"/api/keys/{prefix}/rotate", as_staff, {})[1]["code"] == "FORBIDDEN"
    assert ask("DELETE", f"/api/keys/{prefix}", as_staff)[0] == 204
    assert ask("GET", f"/api/keys/{prefix}", as_alice)[1]["state"] == "revoked"


def test_a_key_cannot_make_one_that_may_more(ask, alice):
    limited = bearer(alice, ["keys", "read"])

    status, refusal = ask("POST", "/api/keys", limited, {"name": "more", "scopes": ["read", "live"]})
    made = ask("POST", "/api/keys", limited, {"name": "same"})[1]

    assert (status, refusal["code"]) == (403, "FORBIDDEN")
    assert made["scopes"] == ["keys", "read"]
    assert not ApiToken.objects.filter(name="more").exists()


def test_a_key_cannot_rotate_one_that_may_more(ask, alice, as_alice):
    strong = ask("POST", "/api/keys", as_alice, {"name": "strong"})[1]

    status, refusal = ask("POST", f"/api/keys/{strong['prefix']}/rotate", bearer(alice, ["keys", "read"]), {})

    assert (status, refusal["code"]) == (403, "FORBIDDEN")
    assert ask("GET", "/api/runs", with_token(strong["token"]))[0] == 200


def test_a_key_without_the_scope_makes_and_lists_none(ask, alice):
    reader = bearer(alice, ["read", "run", "live"])

    assert ask("POST", "/api/keys", reader, {"name": "more", "scopes": ["read"]})[0] == 403
    assert ask("GET", "/api/keys", reader)[0] == 403
    assert ask("GET", "/api/keys", {})[0] == 401


def test_a_key_that_ends_makes_none_that_outlives_it(ask, alice):
    ends = timezone.now() + timedelta(days=2)
    _, plain = create_token(alice, "short", expires_at=ends)
    short = with_token(plain)

    longer = ask("POST", "/api/keys", short, {"name": "longer", "expiresInDays": 3})
    same = ask("POST", "/api/keys", short, {"name": "same"})[1]
    shorter = ask("POST", "/api/keys", short, {"name": "shorter", "expiresInDays": 1})

    assert (longer[0], shorter[0]) == (403, 201)
    assert same["expiresAt"] == round(ends.timestamp() * 1000)


def test_a_key_that_ends_rotates_none_that_outlives_it(ask, alice, as_alice):
    lasting = ask("POST", "/api/keys", as_alice, {"name": "lasting"})[1]
    _, plain = create_token(alice, "short", expires_at=timezone.now() + timedelta(days=2))

    assert ask("POST", f"/api/keys/{lasting['prefix']}/rotate", with_token(plain), {})[0] == 403


def test_a_rotated_key_is_the_same_key_and_the_old_token_opens_nothing(ask, as_alice):
    old = ask("POST", "/api/keys", as_alice, {"name": "laptop", "scopes": ["read"]})[1]

    status, new = ask("POST", f"/api/keys/{old['prefix']}/rotate", as_alice, {})

    assert status == 200
    assert (new["prefix"], new["name"], new["scopes"]) == (old["prefix"], "laptop", ["read"])
    assert ask("GET", "/api/runs", with_token(new["token"]))[0] == 200
    assert ask("GET", "/api/runs", with_token(old["token"]))[0] == 401


def test_the_old_token_goes_on_for_the_overlap_and_no_longer(ask, as_alice):
    old = ask("POST", "/api/keys", as_alice, {"name": "laptop"})[1]
    ask("POST", f"/api/keys/{old['prefix']}/rotate", as_alice, {"overlapS": 600})

    before = ask("GET", "/api/runs", with_token(old["token"]))[0]
    ApiToken.objects.filter(prefix=old["prefix"]).update(old_until=timezone.now() - timedelta(seconds=1))

    assert (before, ask("GET", "/api/runs", with_token(old["token"]))[0]) == (200, 401)


def test_revoking_ends_the_old_token_of_the_overlap_too(ask, as_alice):
    old = ask("POST", "/api/keys", as_alice, {"name": "laptop"})[1]
    new = ask("POST", f"/api/keys/{old['prefix']}/rotate", as_alice, {"overlapS": 600})[1]

    assert ask("DELETE", f"/api/keys/{old['prefix']}", as_alice)[0] == 204

    assert [ask("GET", "/api/runs", with_token(one["token"]))[0] for one in (old, new)] == [401, 401]


def test_a_key_rotates_reads_and_revokes_itself_without_a_scope(ask, alice):
    token, plain = create_token(alice, "ci", ["read"])
    path = f"/api/keys/{token.prefix}"

    seen = ask("GET", path, with_token(plain))
    rotated = ask("POST", f"{path}/rotate", with_token(plain), {})[1]

    assert seen[1]["lastUsedAt"] is not None
    assert ask("DELETE", path, with_token(rotated["token"]))[0] == 204
    assert ask("GET", path, with_token(rotated["token"]))[0] == 401


def test_a_key_that_has_ended_cannot_be_rotated(ask, as_alice):
    made = ask("POST", "/api/keys", as_alice, {"name": "laptop"})[1]
    ask("DELETE", f"/api/keys/{made['prefix']}", as_alice)

    status, refusal = ask("POST", f"/api/keys/{made['prefix']}/rotate", as_alice, {})

    assert (status, refusal["code"]) == (409, "KEY_ENDED")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"name": "x", "scopes": ["fly"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "expiresInDays": 0}, "expiresInDays"),
        ({"name": "x", "expiresInDays": 3651}, "expiresInDays"),
        ({"name": "x", "scope": ["read"]}, "scope"),
    ],
)
def test_a_bad_request_makes_no_key(ask, as_alice, body, field):
    before = ApiToken.objects.count()

    status, refusal = ask("POST", "/api/keys", as_alice, body)

    assert status == 422
    assert refusal["errors"][0]["path"].startswith(field)
    assert ApiToken.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_of_two_that_rotate_at_once_one_has_the_key():
    token, _ = create_token(make_user("alice"), "laptop")

    def turn(_):
        try:
            return rotate(token, at=timezone.now(), overlap=timedelta(0))
        except StaleState:
            return None
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        plains = list(pool.map(turn, range(2)))

    assert sum(plain is not None for plain in plains) == 1
