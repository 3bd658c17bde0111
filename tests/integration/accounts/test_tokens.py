from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError

from accounts.models import ApiToken
from accounts.tokens import create_token, find_token, revoke, touch
from core.errors import BadInput
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_token_is_shown_once_and_kept_as_a_digest():
    token, plain = create_token(make_user("alice"), "laptop", ["read", "run"])

    assert plain.startswith("zap_")
    assert plain.startswith(token.prefix)
    assert len(plain) == 53
    row = ApiToken.objects.get()
    assert plain not in str(row.__dict__)
    assert row.scopes == ["read", "run"]


def test_a_token_opens_the_door_of_its_owner():
    alice = make_user("alice")
    token, plain = create_token(alice, "laptop")

    found = find_token(plain, at=NOON)

    assert (found.pk, found.owner) == (token.pk, alice)
    assert find_token(plain + "0", at=NOON) is None
    assert find_token(token.prefix, at=NOON) is None
    assert find_token("", at=NOON) is None


def test_an_expired_token_opens_nothing():
    _, plain = create_token(make_user("alice"), "laptop", expires_at=NOON)

    assert find_token(plain, at=NOON - timedelta(seconds=1)) is not None
    assert find_token(plain, at=NOON) is None


def test_a_revoked_token_and_that_of_an_inactive_owner_open_nothing():
    alice, bob = make_user("alice"), make_user("bob")
    token, of_alice = create_token(alice, "laptop")
    _, of_bob = create_token(bob, "laptop")

    revoke(token)
    bob.is_active = False
    bob.save()

    assert find_token(of_alice, at=NOON) is None
    assert find_token(of_bob, at=NOON) is None


def test_last_use_is_written_at_most_once_a_minute(django_assert_num_queries):
    token, plain = create_token(make_user("alice"), "laptop")
    touch(token, at=NOON)

    token = find_token(plain, at=NOON)
    with django_assert_num_queries(0):
        touch(token, at=NOON + timedelta(seconds=59))
    touch(token, at=NOON + timedelta(seconds=61))

    token.refresh_from_db()
    assert token.last_used_at == NOON + timedelta(seconds=61)


@pytest.mark.parametrize(
    ("name", "scopes", "code"),
    [
        ("laptop", ["fly"], "SCOPE_UNKNOWN"),
        ("laptop", [], "SCOPE_MISSING"),
        ("  ", ["read"], "NAME_INVALID"),
        ("x" * 81, ["read"], "NAME_INVALID"),
    ],
)
def test_a_bad_token_request_makes_no_token(name, scopes, code):
    with pytest.raises(BadInput) as caught:
        create_token(make_user("alice"), name, scopes)

    assert [problem.code for problem in caught.value.problems] == [code]
    assert not ApiToken.objects.exists()


def test_the_database_refuses_a_scope_that_there_is_not():
    token, _ = create_token(make_user("alice"), "laptop")

    with pytest.raises(IntegrityError):
        ApiToken.objects.filter(pk=token.pk).update(scopes=["fly"])
