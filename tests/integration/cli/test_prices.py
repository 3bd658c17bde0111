import json

import pytest

from accounts.models import OperatorPrice
from cli.__main__ import main
from providers.emulator import Emulator

pytestmark = pytest.mark.django_db
FLUX = "fal-ai/flux/dev"
SET = ["set", "fal", FLUX, "request", "0.04", "--source", "invoice of May"]


@pytest.fixture
def zap(capsys):
    """zap("list") → its exit code, the lines of its result as words, and what else it said."""

    def call(*words):
        code = main(["prices", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def emulator(monkeypatch):
    with Emulator() as emulator:
        monkeypatch.setenv("FAL_BASE_URL", emulator.urls["fal"])
        monkeypatch.setenv("FAL_KEY", "a:secret")
        yield emulator


def test_prices_are_listed_with_their_age_and_who_says_so(zap):
    zap(*SET)

    code, out, _ = zap("list", "fal")

    assert code == 0
    lines = {line.split()[1]: line for line in out.splitlines()}
    assert lines[FLUX].split()[2:8] == ["—", "$0.04", "/", "request", "0", "d"]
    assert lines[FLUX].endswith("operator  invoice of May")
    assert " book " in lines["fal-ai/flux/schnell"]
    assert {line.split()[0] for line in out.splitlines()} == {"provider", "fal"}


def test_a_long_book_is_listed_whole(zap):
    models = [f"house/{number}" for number in range(250)]
    OperatorPrice.objects.bulk_create(
        OperatorPrice(
            provider="fal",
            model=model,
            unit="request",
            usd="0.01",
            source="invoice",
            verified_at="2026-11-01",
            set_by="x",
        )
        for model in models
    )

    code, out, _ = zap("list", "fal")
    document = json.loads(zap("list", "--json")[1])

    assert code == 0
    assert {line.split()[1] for line in out.splitlines()} >= set(models)
    assert [row["model"] for row in document["prices"] if row["model"] in models] == sorted(models)
    assert len({row["provider"] for row in document["prices"]}) > 5
    assert set(document) == {"prices"}


def test_an_old_price_says_that_it_is_stale(zap):
    zap(*SET, "--verified", "2026-01-01")

    (line,) = [line for line in zap("list", "fal")[1].splitlines() if f" {FLUX} " in line]
    assert ", stale " in line


def test_a_price_is_set_taken_back_and_remembered(zap):
    assert zap(*SET)[2] == f"{FLUX} at fal costs $0.04 / request from now on.\n"
    assert zap("withdraw", "fal", FLUX, "--why", "wrong")[0] == 0

    code, out, _ = zap("history", "fal", FLUX)

    assert code == 0
    assert [line.split("  ")[-1] for line in out.splitlines()[1:]] == ["wrong", "invoice of May"]
    assert "withdrawn" in out
    assert f" {FLUX} " not in zap("list", "fal")[1]


def test_json_is_the_answer_of_the_interface(zap):
    row = json.loads(zap(*SET, "--json")[1])

    assert (row["model"], row["usd"]) == (FLUX, 0.04)
    assert json.loads(zap("history", "fal", FLUX, "--json")[1])["history"] == [row]
    assert len(json.loads(zap("list", "--json")[1])["prices"]) > 50


def test_what_is_no_price_is_bad_input(zap):
    assert zap("set", "fal", FLUX, "gallon", "1", "--source", "s")[0] == 2
    assert zap("set", "fal", FLUX, "second", "much", "--source", "s")[0] == 2
    assert not OperatorPrice.objects.exists()


def test_vendors_are_asked_and_what_would_change_is_shown(zap, emulator):
    listed = [{"endpoint_id": FLUX, "unit_price": 0.05, "unit": "megapixels", "currency": "USD"}]
    rule = {"on": "prices", "do": "status", "status": 200, "body": {"prices": listed}}
    emulator.desks["fal"].plan.add(rule)
    emulator.desks["fal"].plan.add(rule)

    code, out, err = zap("sync", "fal", "--dry-run")

    assert code == 0
    (line,) = [line.split() for line in out.splitlines() if f" {FLUX} " in line]
    assert line == ["fal", FLUX, "—", "megapixel", "$0.025", "$0.05", "changed"]
    assert "NOT_TOLD" in out
    assert "Nothing was changed." in err
    assert not OperatorPrice.objects.exists()

    assert zap("sync", "fal", "--json")[0] == 0
    assert OperatorPrice.objects.get().set_by.startswith("user:")


def test_a_vendor_that_cannot_be_asked_is_named(zap, emulator, monkeypatch):
    monkeypatch.delenv("FAL_KEY")

    code, _, err = zap("sync", "fal")

    assert code == 1
    assert "fal could not be asked" in err
    assert "KEY_MISSING" in err
