from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone
from jsonschema import Draft202012Validator

from accounts.caller import Scope
from accounts.models import OperatorKeyGrant, SecretAccess
from accounts.vault import keeping
from accounts.vault.credentials import prospect_for
from providers.emulator import Emulator
from providers.registry import PROVIDERS
from runs.models import Circuit, ProviderAccount
from tests.integration.people import bearer
from zaps.kind import KINDS, StepKind

pytestmark = pytest.mark.django_db
CANARY = "canary-0123456789:do-not-show-this-key-4Jx2"


@pytest.fixture(autouse=True)
def _bare(settings, monkeypatch):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    settings.ZAP_OPERATOR_KEYS_FOR = "staff"
    for provider in PROVIDERS:
        for variable in (provider.key_variable, f"{provider.name.upper()}_BASE_URL"):
            monkeypatch.delenv(variable or "", raising=False)


@pytest.fixture
def rows(client):
    """GET /api/providers by name."""

    def get(headers):
        answer = client.get("/api/providers", headers=headers)
        assert answer.status_code == 200, answer.content
        assert CANARY not in answer.content.decode()
        return {row["provider"]: row for row in answer.json()["providers"]}

    return get


@pytest.fixture
def reach(post):
    """POST /api/providers/reach: the results by name."""

    def send(headers, *names):
        answer = post("/api/providers/reach", {"providers": names} if names else {}, **headers)
        assert answer.status_code == 200, answer.content
        assert CANARY not in answer.content.decode()
        return {row["provider"]: row for row in answer.json()["results"]}

    return send


@pytest.fixture
def emulator(monkeypatch):
    with Emulator() as playing:
        for name, url in playing.urls.items():
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", url)
        yield playing


def test_only_callers_whom_we_know_are_told(client, alice):
    assert client.get("/api/providers").status_code == 401
    assert client.get("/api/providers", headers=bearer(alice, [Scope.RUN])).status_code == 403
    assert client.get("/api/providers", headers=bearer(alice, [Scope.READ])).status_code == 200


def test_every_provider_is_listed_with_what_it_makes(rows, as_alice):
    told = rows(as_alice)

    assert list(told) == sorted(PROVIDERS.entries)
    assert told["prodia"]["kinds"] == ["image.edit", "image.gen", "image.upscale", "video.extend", "video.gen"]
    flux = next(model for model in told["fal"]["models"] if model["model"] == "fal-ai/flux/dev/image-to-image")
    assert flux == {"model": "fal-ai/flux/dev/image-to-image", "kinds": ["image.gen", "image.edit"], "price": "priced"}


def test_what_our_own_machine_makes_is_no_provider_s_to_make(rows, as_alice, monkeypatch):
    monkeypatch.setitem(KINDS.entries, "image.blur", StepKind(name="image.blur", makes="png", render=lambda job: []))

    assert "image.blur" not in rows(as_alice)["comfyui"]["kinds"]  # whose workflows make whatever is called so


def test_a_key_is_the_caller_s_own_else_the_operator_s_for_whom_that_is_allowed(
    rows, alice, as_alice, as_staff, monkeypatch, settings
):
    def standing(headers):
        row = rows(headers)["fal"]
        return row["configured"], row["keySource"], row["missing"]

    none = (False, None, ["FAL_KEY"])
    assert (standing(as_alice), standing(as_staff)) == (none, none)
    monkeypatch.setenv("FAL_KEY", CANARY)
    assert (standing(as_alice), standing(as_staff)) == (none, (True, "operator", []))
    settings.ZAP_OPERATOR_KEYS_FOR = "allowed"
    OperatorKeyGrant.objects.create(user=alice)
    assert standing(as_alice) == (True, "operator", [])
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="test")
    assert standing(as_alice) == (True, "creator", [])


def test_an_operator_s_key_in_the_vault_counts_as_one_in_the_environment(rows, as_staff):
    keeping.put("gmi", {"gmi_api_key": CANARY}, owner_id=None, by="test")

    assert rows(as_staff)["gmi"]["keySource"] == "operator"


def test_a_provider_that_needs_nothing_is_configured(rows, as_alice):
    mock = rows(as_alice)["mock"]

    assert (mock["configured"], mock["keySource"], mock["missing"], mock["host"]) == (True, "none", [], None)
    assert (mock["pricedBy"], mock["models"]) == ("nobody", [])


def test_a_machine_of_the_operator_s_needs_its_address(rows, as_staff, as_alice, monkeypatch):
    comfy = rows(as_staff)["comfyui"]
    assert (comfy["configured"], comfy["missing"], comfy["pricedBy"]) == (False, ["COMFYUI_BASE_URL"], "operator")

    monkeypatch.setenv("COMFYUI_BASE_URL", "http://10.1.2.3:8188")

    assert rows(as_staff)["comfyui"]["configured"] is True
    others = rows(as_alice)["comfyui"]  # who may not spend the operator's
    assert (others["configured"], others["keySource"], others["missing"]) == (False, None, [])


def test_addresses_that_the_operator_chose_are_shown_to_staff_alone(rows, as_alice, as_staff, monkeypatch):
    monkeypatch.setenv("COMFYUI_BASE_URL", "http://10.1.2.3:8188")
    monkeypatch.setenv("FAL_BASE_URL", "https://proxy.example.com/fal")

    def hosts(headers):
        return [rows(headers)[name]["host"] for name in ("comfyui", "fal", "openrouter")]

    assert hosts(as_alice) == [None, None, "openrouter.ai"]
    assert hosts(as_staff) == ["10.1.2.3:8188", "proxy.example.com", "openrouter.ai"]


def test_old_prices_are_stale_and_missing_ones_are_told(rows, as_alice, alice, monkeypatch, time_machine):
    def states():
        return {model["price"] for model in rows(bearer(alice))["replicate"]["models"]}

    assert states() == {"priced"}
    time_machine.move_to(datetime.now(UTC) + timedelta(days=2000))
    assert states() == {"stale"}
    monkeypatch.setattr(type(PROVIDERS.get("replicate")), "listed_models", lambda _: {"nobody/knows": ("image.gen",)})
    assert states() == {"unpriced"}


@pytest.mark.parametrize(
    ("on", "address", "reason"),
    [
        (True, "https://zap.example.com", None),
        (True, "http://zap.example.com", "no_address"),
        (True, "", "no_address"),
        (False, "https://zap.example.com", "switched_off"),
    ],
)
def test_webhooks_say_why_they_are_off(rows, as_alice, settings, on, address, reason):
    settings.ZAP_WEBHOOKS, settings.ZAP_PUBLIC_URL, settings.ZAP_ALLOW_LOOPBACK = on, address, False

    told = rows(as_alice)

    assert told["fal"]["webhooks"] == {"proof": "signed", "on": reason is None, "offReason": reason}
    assert told["gmi"]["webhooks"] == {"proof": "none", "on": False, "offReason": "not_offered"}


def test_models_that_are_left_alone_are_told(rows, as_alice):
    at = timezone.now()
    pause = {"failures": 5, "error": "PROVIDER_UNAVAILABLE", "retry_at": at + timedelta(minutes=1)}
    Circuit.objects.create(provider="fal", model="fal-ai/flux/dev", status="open", **pause)
    Circuit.objects.create(provider="fal", model="fal-ai/veo3.1", status="closed", failures=2)
    Circuit.objects.create(provider="fal", account="whose key is refused", status="open", **pause)

    told = rows(as_alice)

    assert told["gmi"]["pausedModels"] == []
    assert told["fal"]["pausedModels"] == [
        {
            "model": "fal-ai/flux/dev",
            "status": "open",
            "error": "PROVIDER_UNAVAILABLE",
            "retryAt": round(pause["retry_at"].timestamp() * 1000),
        }
    ]


def test_limits_of_a_paused_account_are_shown_to_its_owner_and_staff(rows, alice, as_alice, as_staff, settings):
    settings.ZAP_OPERATOR_KEYS_FOR = "everyone"
    keeping.put("fal", {"fal_key": CANARY}, owner_id=None, by="test")
    account = ProviderAccount.objects.create(
        key=_account_of("fal", alice), provider="fal", requests_per_s=2, jobs_in_flight=3, day_cap_usd=Decimal("9.5")
    )

    assert rows(as_alice)["fal"]["pausedAccount"] is None
    account.paused_until = timezone.now() + timedelta(minutes=1)
    account.save()
    until = round(account.paused_until.timestamp() * 1000)

    hidden = {"pausedUntil": until, "requestsPerS": None, "jobsInFlight": None, "dayCapUsd": None}
    shown = {"pausedUntil": until, "requestsPerS": 2.0, "jobsInFlight": 3, "dayCapUsd": 9.5}
    assert rows(as_alice)["fal"]["pausedAccount"] == hidden
    assert rows(as_staff)["fal"]["pausedAccount"] == shown
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="test")  # an equal key is the same account
    assert rows(as_alice)["fal"]["pausedAccount"] == shown


def _account_of(provider, user):
    return prospect_for(provider, owner_id=user.pk).account


def test_nothing_is_asked_and_nothing_decrypted_for_the_list(rows, alice, as_alice, emulator):
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="test")

    rows(as_alice)

    assert not SecretAccess.objects.exists()
    assert all(not desk.journal.calls for desk in emulator.desks.values())


def test_providers_are_asked_with_the_caller_s_key_where_there_is_one(reach, alice, as_alice, emulator):
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="test")
    keeping.put("gmi", {"gmi_api_key": "invalid"}, owner_id=alice.pk, by="test")

    told = reach(as_alice)

    def short(name):
        return told[name]["reachable"], told[name]["keyOk"], told[name]["code"]

    assert list(told) == sorted(PROVIDERS.entries)
    assert short("fal") == (True, True, None)
    assert short("gmi") == (True, False, "KEY_INVALID")
    assert short("runware") == (True, None, None)
    assert short("mock") == (None, None, None)
    assert all(not desk.journal.submissions for desk in emulator.desks.values())
    assert set(SecretAccess.objects.values_list("provider", "why", "source")) == {
        ("fal", "test", "creator"),
        ("gmi", "test", "creator"),
    }


def test_only_those_that_are_named_are_asked_and_each_once(reach, as_alice, emulator):
    assert list(reach(as_alice, "gmi", "fal", "gmi")) == ["fal", "gmi"]

    asked = {name for name, desk in emulator.desks.items() if desk.journal.calls}
    assert asked == {"fal", "gmi"}
    assert sum(emulator.desks["gmi"].journal.calls.values()) == 1


def test_a_key_that_cannot_be_opened_is_told_and_its_provider_asked_all_the_same(
    reach, alice, as_alice, emulator, settings
):
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="test")
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]

    told = reach(as_alice, "fal")["fal"]

    assert (told["reachable"], told["keyOk"], told["code"]) == (True, None, "SECRET_UNREADABLE")


@pytest.mark.parametrize(
    "body", [{"providers": ["nobody"]}, {"providers": []}, {"provider": ["fal"]}, {"providers": 3}]
)
def test_whoever_asks_for_nobody_is_told(post, as_alice, body):
    assert post("/api/providers/reach", body, **as_alice).status_code == 422


def test_asking_takes_the_scope_that_keys_take(post, alice):
    assert post("/api/providers/reach").status_code == 401
    assert post("/api/providers/reach", **bearer(alice, [Scope.READ])).status_code == 403
    assert post("/api/providers/reach", {"providers": ["mock"]}, **bearer(alice, [Scope.SECRETS])).status_code == 200


def test_both_answers_are_what_the_schema_says(client, post, as_staff, emulator):
    schema = client.get("/api/schema?format=json").json()
    Circuit.objects.create(provider="fal", model="fal-ai/flux/dev", status="open", retry_at=timezone.now())
    answers = {
        "ProvidersDocument": client.get("/api/providers", headers=as_staff).json(),
        "ReachedDocument": post("/api/providers/reach", **as_staff).json(),
    }

    for name, answer in answers.items():
        whole = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(answer)] == []


def test_info_sees_keys_as_a_run_would(client, as_staff, monkeypatch):
    def has_key():
        rows = client.get("/api/info", headers=as_staff).json()["providers"]
        return {row["name"]: row["hasKey"] for row in rows}

    assert (has_key()["fal"], has_key()["gmi"], has_key()["mock"]) == (False, False, True)
    keeping.put("fal", {"fal_key": CANARY}, owner_id=None, by="test")
    monkeypatch.setenv("GMI_API_KEY", CANARY)
    assert (has_key()["fal"], has_key()["gmi"]) == (True, True)
