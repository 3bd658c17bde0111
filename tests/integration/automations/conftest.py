from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db.models.functions import Now

from accounts.caller import Caller, Scope
from automations.schedules import Wish, make_schedule
from runs.models import Run
from tests.integration.recipes import door
from tests.integration.runs.conftest import bells, emulator, fal, poller_ends  # noqa: F401 (fixtures: the real engine)
from zaps.catalogue import Entry, publish

FINAL = ["canceled", "done", "failed"]


def at(text):
    """A moment of the one day that these tests know."""
    return datetime.fromisoformat(f"2026-05-04 {text}").replace(tzinfo=UTC)


def end(*runs, status="done", cost="0", error=""):
    """Leave these runs, or all, behind as the engine does when they end."""
    rows = Run.objects.filter(pk__in=[run.pk for run in runs]) if runs else Run.objects.exclude(status__in=FINAL)
    rows.update(
        status=status,
        due_at=None,
        wait_reason=None,
        finished_at=Now(),
        reserved_usd=0,
        cost_usd=Decimal(cost),
        error=error,
    )


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch, request):
    """Nobody answers the bells, unless the test does it by hand."""
    monkeypatch.setattr("automations.dispatch.ring", lambda: None)
    if "bells" not in request.fixturenames:
        monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)


@pytest.fixture
def recipe(alice):
    return publish(Entry(source=door(), prompts={}, visibility="private"), author=alice).zap


@pytest.fixture
def caller(alice):
    return Caller(user=alice, principal_id=f"user:{alice.pk}", scopes=frozenset(Scope))


@pytest.fixture
def schedule(recipe, caller):
    """schedule(cron=…) → Alice's, made at 10:00."""

    def make(**wish):
        beat = {} if "every_s" in wish else {"cron": "0 * * * *"}
        return make_schedule(Wish(slug=recipe.slug, inputs={"NAME": "Ada"}, **{**beat, **wish}), caller, at=at("10:00"))

    return make
