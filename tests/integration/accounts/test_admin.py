import pytest
from django.contrib.auth import get_user_model

from accounts.models import ApiToken, IdempotencyKey
from accounts.tokens import create_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client):
    user = get_user_model().objects.create_superuser("root", password="x")
    client.force_login(user)
    return user


def test_tokens_are_listed_without_their_digest(client, admin):
    token, plain = create_token(admin, "laptop")

    listed = client.get("/admin/accounts/apitoken/")
    shown = client.get(f"/admin/accounts/apitoken/{token.pk}/change/")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert token.prefix in listed.content.decode()
    assert token.digest not in shown.content.decode()
    assert plain not in shown.content.decode()
    assert client.get("/admin/accounts/apitoken/add/").status_code == 403


def test_an_operator_revokes_tokens(client, admin):
    token, _ = create_token(admin, "laptop")

    client.post("/admin/accounts/apitoken/", {"action": "revoke_tokens", "_selected_action": [token.pk]})

    assert ApiToken.objects.get().revoked_at is not None


def test_keys_are_listed(client, admin):
    IdempotencyKey.objects.create(
        principal="user:1", key="film-1", request_hash="x", lease_until="2026-01-01T00:00Z", lease_token="0" * 32
    )

    assert "film-1" in client.get("/admin/accounts/idempotencykey/").content.decode()
