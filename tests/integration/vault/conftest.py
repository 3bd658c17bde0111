import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import User

from tests.integration.people import bearer

#: nothing else in the tests looks like it, so that wherever it turns up it has leaked
CANARY = "canary-0123456789:do-not-show-this-fal-key-7Qz9"


@pytest.fixture(autouse=True)
def _vault(settings, monkeypatch):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    settings.ZAP_OPERATOR_KEYS_FOR = "staff"
    monkeypatch.delenv("FAL_KEY", raising=False)


@pytest.fixture
def alice(db):
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db):
    return User.objects.create_user("bob")


@pytest.fixture
def sam(db):
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def api(client):
    """api(user, "put", "/api/secrets/fal", {…}) → the response."""
    headers = {}

    def call(user, method, path, body=None):
        if user is not None and user.pk not in headers:
            headers[user.pk] = bearer(user)
        send = getattr(client, method)
        if method == "get":
            return send(path, headers=headers[user.pk] if user else None)
        return send(path, body, content_type="application/json", headers=headers[user.pk] if user else None)

    return call
