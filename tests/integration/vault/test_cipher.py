import copy
import json
import pickle

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.vault.cipher import Place, SecretUnreadable, VaultClosed, fingerprint, fingerprints, seal, unseal
from accounts.vault.hidden import Hidden
from accounts.vault.sets import blinded, read_sets

PLACE = Place(owner_id=1, provider="fal", name="fal_key")


@settings(max_examples=30)
@given(st.text(min_size=1), st.integers() | st.none())
def test_what_is_sealed_comes_back(value, owner_id):
    place = Place(owner_id=owner_id, provider="fal", name="fal_key", request_ref="run_1")

    assert unseal(seal(value, place), place) == value


def test_the_same_value_is_sealed_differently_each_time():
    assert seal("v", PLACE) != seal("v", PLACE)
    assert "v" * 20 not in seal("v" * 20, PLACE)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place(owner_id=2, provider="fal", name="fal_key"),
        Place(owner_id=None, provider="fal", name="fal_key"),
        Place(owner_id=1, provider="gmi", name="fal_key"),
        Place(owner_id=1, provider="fal", name="other"),
        Place(owner_id=1, provider="fal", name="fal_key", request_ref="run_1"),
    ],
)
def test_what_was_sealed_for_one_place_is_not_read_at_another(elsewhere):
    with pytest.raises(SecretUnreadable):
        unseal(seal("v", PLACE), elsewhere)


@pytest.mark.parametrize("text", ["", "nonsense", "gAAAAA"])
def test_nonsense_cannot_be_read(text):
    with pytest.raises(SecretUnreadable) as caught:
        unseal(text, PLACE)

    assert caught.value.code == "SECRET_UNREADABLE"


def test_one_changed_character_is_noticed():
    sealed = seal("v", PLACE)
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]

    with pytest.raises(SecretUnreadable):
        unseal(changed, PLACE)


def test_without_a_key_the_vault_is_closed(settings):
    settings.ZAP_SECRET_KEYS = []

    for act in (lambda: seal("v", PLACE), lambda: unseal("x", PLACE), lambda: fingerprint("v")):
        with pytest.raises(VaultClosed):
            act()


def test_an_older_key_still_opens(settings):
    sealed, old = seal("v", PLACE), settings.ZAP_SECRET_KEYS[0]

    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode(), old]
    assert unseal(sealed, PLACE) == "v"

    settings.ZAP_SECRET_KEYS = settings.ZAP_SECRET_KEYS[:1]
    with pytest.raises(SecretUnreadable):
        unseal(sealed, PLACE)


def test_equal_values_have_equal_fingerprints_under_one_key_only(settings):
    before = fingerprint("v")

    assert before == fingerprint("v") != fingerprint("w")
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode(), *settings.ZAP_SECRET_KEYS]
    assert fingerprint("v") != before
    assert fingerprints("v") == [fingerprint("v"), before]


def test_a_hidden_text_shows_itself_to_nobody_who_does_not_ask():
    hidden = Hidden("canary")

    assert hidden.reveal() == "canary"
    for shown in (repr(hidden), str(hidden), f"{hidden}", f"{[hidden]}", f"{hidden!r:>20}"):
        assert "canary" not in shown
    for write in (pickle.dumps, copy.copy, copy.deepcopy, json.dumps):
        with pytest.raises(TypeError):
            write(hidden)
    assert not Hidden("")


def test_what_is_kept_of_a_request_has_fingerprints_in_place_of_its_keys():
    def hashed(key):
        body = {"slug": "a", "secrets": {"fal": {"fal_key": key}}}
        return blinded(body, read_sets(body["secrets"]))

    assert hashed("canary") == {"slug": "a", "secrets": {"fal": {"fal_key": fingerprint("canary")}}}
    assert hashed("canary") == hashed(" canary ") != hashed("other")
    assert blinded({"slug": "a"}, read_sets(None)) == {"slug": "a"}
