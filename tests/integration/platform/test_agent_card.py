"""What a server tells an agent that finds it."""

import json

import pytest
from django.conf import settings as real

from accounts.caller import Scope
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db

PATH = "/.well-known/agent.json"


def test_anybody_may_read_it_from_anywhere(client):
    answer = client.get(PATH)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer["Cache-Control"]


def test_every_address_in_it_answers(client):
    card = client.get(PATH).json()

    for path in (card["api"]["schema"], card["api"]["recipes"], card["health"]["alive"], card["health"]["ready"]):
        assert client.get(path).status_code == 200
    assert client.post(card["api"]["run"]).status_code in {400, 401, 415}


def test_addresses_are_whole_where_the_server_knows_its_own(client, settings):
    settings.ZAP_PUBLIC_URL = "https://zap.example.com"

    card = client.get(PATH).json()

    assert card["api"]["url"] == "https://zap.example.com/api"
    assert card["mcp"]["env"]["ZAP_API_URL"] == "https://zap.example.com"


def test_it_says_what_is_open_without_a_login(client, settings):
    settings.ZAP_OPEN_MODES = ["plan"]

    auth = client.get(PATH).json()["auth"]

    assert auth["openModes"] == ["plan"]
    assert set(auth["scopes"]) == set(Scope)


def test_it_is_the_same_for_everybody_and_holds_no_secret(client, monkeypatch):
    nobody = client.get(PATH).json()
    client.force_login(make_user("sam", staff=True))

    assert client.get(PATH).json() == nobody
    told = json.dumps(nobody)
    for secret in (real.SECRET_KEY, real.REDIS_URL, str(real.ZAPS_DATA_DIR), real.DATABASES["default"]["NAME"]):
        assert secret not in told


def test_it_can_only_be_read(client):
    assert client.post(PATH).status_code == 405
