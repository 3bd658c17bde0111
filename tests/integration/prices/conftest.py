from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from accounts.pricing import book
from accounts.pricing.book import Entry
from providers.emulator import Emulator
from tests.integration.people import bearer

DAY = date(2026, 11, 21)
FLUX = "fal-ai/flux/dev"
VEO = "fal-ai/veo3.1"


@pytest.fixture
def sam(db):
    return User.objects.create_user("sam", is_staff=True)


@pytest.fixture
def api(client):
    """api(user, "post", "/api/prices", {…}) → the response; `scopes` are those of a token made for it."""

    def call(user, method, path, body=None, **scopes):
        headers = bearer(user, **scopes) if user is not None else None
        if method == "get":
            return client.get(path, headers=headers)
        return getattr(client, method)(path, body, content_type="application/json", headers=headers)

    return call


@pytest.fixture
def put(db):
    """Sets a price of fal's: put(FLUX, "0.03"), or None to take it back."""

    def put(model=FLUX, usd="0.03", *, unit="megapixel", variant="", on=None, by="test"):
        today = datetime.now(UTC).date()
        entry = Entry(
            provider="fal", model=model, variant=variant, unit=unit, usd=None if usd is None else Decimal(usd),
            source="by hand", verified_at=on or today,
        )  # fmt: skip
        return book.put(entry, by=by, today=today)

    return put


@pytest.fixture
def emulator(monkeypatch):
    with Emulator() as emulator:
        for name in ("fal", "openrouter"):
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", emulator.urls[name])
        monkeypatch.setenv("FAL_KEY", "a:secret")
        monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-secret")
        yield emulator
