import json
import threading
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from accounts.vault import keeping
from cli.__main__ import main
from cli.verbs import providers
from providers.emulator import Emulator
from providers.registry import PROVIDERS
from runs.models import Circuit

pytestmark = pytest.mark.django_db
KEY = "id:0123456789abcdef"


@pytest.fixture(autouse=True)
def emulator(settings, monkeypatch):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    with Emulator() as playing:
        for provider in PROVIDERS:
            monkeypatch.delenv(provider.key_variable or "", raising=False)
        for name, url in playing.urls.items():
            monkeypatch.setenv(f"{name.upper()}_BASE_URL", url)
        yield playing


@pytest.fixture
def zap(capsys):
    """zap("fal") → exit code, stdout and stderr of `zap providers fal`."""

    def call(*words):
        code = main(["providers", *words])
        said = capsys.readouterr()
        assert KEY not in said.out + said.err
        return code, said.out, said.err

    return call


def keep(provider, key=KEY):
    keeping.put(provider, {PROVIDERS.get(provider).key_variable.lower(): key}, owner_id=None, by="test")


def test_the_table_has_a_line_for_each_and_asks_nobody(zap, emulator):
    keep("fal")

    code, out, err = zap()

    head, *lines = out.splitlines()
    told = {line.split()[0]: line for line in lines}
    assert (code, err) == (0, "")
    assert head.split() == ["provider", "makes", "configured", "host", "priced", "webhooks"]
    assert list(told) == sorted(PROVIDERS.entries)
    assert "with the operator's key" in told["fal"]
    assert "missing: GMI_API_KEY" in told["gmi"]
    assert "needs no key" in told["mock"]
    assert emulator.urls["gmi"].removeprefix("http://") in told["gmi"]
    assert all(not desk.journal.calls for desk in emulator.desks.values())


def test_with_check_each_is_asked(zap, emulator):
    keep("fal")

    code, out, _ = zap("--check")

    head, *lines = out.splitlines()
    told = {line.split()[0]: line for line in lines}
    assert (code, head.split()[-1]) == (0, "reachable")
    assert told["fal"].endswith("ms, key works")
    assert "yes, " in told["gmi"]
    assert told["mock"].endswith("—")
    assert all(not desk.journal.submissions for desk in emulator.desks.values())


def test_a_configured_provider_that_refuses_its_key_is_a_failure(zap):
    keep("fal", "invalid")

    code, out, _ = zap("--check")

    assert code == 1
    assert "key refused, KEY_INVALID" in out


def test_one_that_nobody_set_up_may_be_silent_unless_it_is_asked_for(zap, emulator):
    emulator.desks["gmi"].plan.add({"on": "*", "do": "status", "status": 500, "times": None})

    assert zap("--check")[0] == 0
    code, out, _ = zap("gmi", "--check")
    assert code == 1
    assert "reachable   no, " in out
    assert "PROVIDER_UNAVAILABLE" in out


def test_those_that_are_named_are_told_in_full(zap, settings):
    settings.ZAP_PUBLIC_URL = ""

    code, out, _ = zap("openrouter", "gmi", "openrouter")

    first, second = out.split("\n\n")
    assert code == 0
    assert (first.splitlines()[0], second.splitlines()[0]) == ("openrouter", "gmi")
    assert "off: ZAP_PUBLIC_URL is no https address" in first
    assert "off: it calls nobody" in second
    assert "not asked; --check asks" in first
    assert "image.gen" in first


def test_what_is_left_alone_is_told_beside_the_table(zap):
    pause = {"status": "open", "error": "PROVIDER_FAILED", "retry_at": timezone.now() + timedelta(minutes=5)}
    Circuit.objects.create(provider="fal", model="fal-ai/flux/dev", **pause)

    _, out, err = zap()

    assert "fal: fal-ai/flux/dev is left alone until" in err
    assert "(PROVIDER_FAILED)" in err
    assert "left alone" not in out
    assert "left alone" in zap("fal")[1]


def test_json_is_one_document_with_both_answers(zap):
    code, out, _ = zap("fal", "--check", "--json")
    row = json.loads(out)["providers"][0]
    assert (code, row["provider"], row["reached"]["reachable"]) == (0, "fal", True)

    _, out, _ = zap("--json")
    rows = json.loads(out)["providers"]
    assert [one["provider"] for one in rows] == sorted(PROVIDERS.entries)
    assert {one["reached"] for one in rows} == {None}


def test_somebody_who_is_no_provider_is_bad_input(zap):
    code, _, err = zap("nobody")

    assert code == 2
    assert "There are: comfyui, fal" in err


def test_whoever_waits_long_is_told_what_for(monkeypatch):
    told = threading.Event()
    monkeypatch.setattr(providers, "_PATIENCE_S", 0)
    monkeypatch.setattr(providers.talk, "say", lambda sentence: told.set())

    with providers._patience("Asking 8 providers…"):
        assert told.wait(10)


def test_whoever_is_answered_soon_is_told_nothing_else(zap):
    assert "Asking" not in zap("mock", "--check")[2]
