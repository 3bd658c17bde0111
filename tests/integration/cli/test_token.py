import json

import pytest
from django.utils import timezone

from accounts.models import ApiToken
from accounts.tokens import create_token, find_token
from cli.__main__ import main
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def zap(capsys):
    """zap("list") → its exit code, and what it printed."""

    def call(*words):
        code = main(["token", *words])
        return code, capsys.readouterr().out.strip()

    return call


@pytest.fixture
def server(live_server, monkeypatch):
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(make_user("alice"), "laptop")[1])


def opens(plain):
    return find_token(plain, at=timezone.now()) is not None


def test_a_key_is_made_listed_rotated_and_revoked(zap):
    first = zap("create", "ci", "--scope", "read", "--days", "9")[1]
    prefix = first[:12]
    listed = zap("list")[1].splitlines()
    second = zap("rotate", prefix)[1]

    assert listed[1].split()[:4] == [prefix, "ci", "live", "read"]
    assert (opens(first), opens(second)) == (False, True)
    assert zap("revoke", prefix)[0] == 0
    assert not opens(second)


def test_the_old_token_goes_on_while_somebody_goes_over(zap):
    first = zap("create", "ci")[1]

    zap("rotate", first[:12], "--overlap-s", "60")

    assert opens(first)


def test_more_than_a_page_of_keys_is_listed_whole(zap, django_user_model):
    zap("create", "first")
    owner = django_user_model.objects.get(username="local")
    for index in range(100):
        create_token(owner, f"key {index}")

    assert len(json.loads(zap("list", "--json")[1])["keys"]) == 101


def test_a_key_is_made_for_somebody_else_here(zap):
    make_user("bob")

    assert zap("create", "ci", "--user", "bob")[0] == 0

    assert ApiToken.objects.get().owner.username == "bob"


def test_a_server_elsewhere_makes_a_key_of_whoever_asks(zap, server):
    code, plain = zap("create", "ci", "--scope", "read")

    token = find_token(plain, at=timezone.now())
    assert (code, token.owner.username, token.scopes) == (0, "alice", ["read"])


@pytest.mark.parametrize("words", [("revoke", "zap_00000000"), ("rotate", "zap_00000000"), ("revoke", "x/../y")])
def test_a_key_that_there_is_not_is_bad_input(zap, words):
    assert zap(*words)[0] == 2
