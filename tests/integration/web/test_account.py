"""The account page: keys that are shown once, providers' keys that are never shown, and what was spent."""

import pytest
from cryptography.fernet import Fernet

from accounts.models import ApiToken
from tests.integration.people import bearer, make_user
from tests.pages import Visitor, parse

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(as_alice):
    """The page that shows Alice's new key."""
    return parse(as_alice.press(as_alice.open("/account"), "Make the key", name="my laptop", scopes=["read"]))


def test_a_new_key_opens_doors_and_is_shown_this_once(as_alice, client, made):
    token = made.one("input", id="new-key").given["value"]

    assert client.get("/api/session", headers={"Authorization": f"Bearer {token}"}).json()["scopes"] == ["read"]
    assert token not in as_alice.client.get("/account").content.decode()


def test_a_rotated_key_is_another_and_a_revoked_one_is_gone(as_alice, made):
    token = made.one("input", id="new-key").given["value"]

    rotated = parse(as_alice.press(made, "Rotate"))
    answer = as_alice.press(rotated, "Revoke")

    assert rotated.one("input", id="new-key").given["value"] not in ("", token)
    assert answer["Location"] == "/account"
    assert ApiToken.objects.get().revoked_at is not None
    assert not as_alice.open("/account").all("button", aria_label="Revoke my laptop")


def test_a_key_without_a_scope_is_refused_in_words(as_alice):
    answer = as_alice.press(as_alice.open("/account"), "Make the key", name="my laptop", scopes=[])

    assert answer.status_code == 422
    assert parse(answer).one("div", role="alert").text
    assert not ApiToken.objects.exists()


def test_nobody_sees_or_revokes_somebody_elses_key(as_alice, as_bob, made):
    prefix = ApiToken.objects.get().prefix
    page = as_bob.open("/account")

    assert prefix not in page.text
    token = page.all("input", name="csrfmiddlewaretoken")[0].given["value"]
    answer = as_bob.client.post(f"/account/keys/{prefix}/revoke", {"csrfmiddlewaretoken": token})
    assert answer.status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_staff_see_their_own_keys_alone(made):
    assert "my laptop" not in Visitor(make_user("sam", staff=True)).open("/account").text


def test_a_providers_key_is_kept_masked_and_taken_back(as_alice, settings):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    page = as_alice.open("/account")
    form = next(one for one in page.all("form") if one.all("input", name="value.fal_key"))

    kept = as_alice.press(form, "Keep the key of fal", **{"value.fal_key": "secret-of-alice-1234"})

    assert kept["Location"] == "/account"
    shown = as_alice.client.get("/account").content.decode()
    assert "…1234" in shown
    assert "secret-of-alice" not in shown
    page = as_alice.open("/account")
    form = next(one for one in page.all("form") if one.all("input", name="value.fal_key"))
    as_alice.press(form, "Delete the key of fal")
    assert "…1234" not in as_alice.client.get("/account").content.decode()


def test_a_forged_form_changes_nothing(as_alice, alice):
    bearer(alice)

    answer = as_alice.client.post("/account/keys", {"name": "x", "scopes": ["live"]})

    assert answer.status_code == 403
    assert ApiToken.objects.count() == 1


def test_the_account_is_for_who_signed_in(nobody):
    assert nobody.client.get("/account")["Location"] == "/sign-in?next=/account"
