"""Vendors are asked what their models cost: what may be believed is written, what may not is shown."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import OperatorPrice
from accounts.pricing import book
from accounts.pricing.sync import SOURCE, sync, tellers, weigh
from core.errors import BadInput, NotFound
from providers import prices
from providers.prices import Price, Told

from .conftest import DAY, FLUX, VEO

LATER = DAY + timedelta(days=200)
KEY = ("fal", FLUX, "")
OLD = Price(provider="fal", model=FLUX, unit="megapixel", usd=Decimal("0.02"), source="by hand", verified_at=DAY)


def told(**fields):
    return Told(**{"model": FLUX, "units": ("request", "megapixel"), "usd": Decimal("0.03"), **fields})


@pytest.mark.parametrize(
    ("said", "old", "code"),
    [
        (told(), OLD, None),
        (told(), None, None),
        (told(usd=Decimal("0.1")), OLD, None),
        (told(usd=Decimal("0.004")), OLD, None),
        (told(usd=Decimal("0.100001")), OLD, "PRICE_JUMPED"),
        (told(usd=Decimal("0.003999")), OLD, "PRICE_JUMPED"),
        (told(usd=Decimal(0)), OLD, "PRICE_ZERO"),
        (told(usd=Decimal("0.0000001")), OLD, "PRICE_ZERO"),
        (told(usd=None), OLD, "PRICE_UNREADABLE"),
        (told(units=()), OLD, "UNIT_UNKNOWN"),
        (told(units=("second",)), OLD, "UNIT_DIFFERS"),
        (None, OLD, "NOT_TOLD"),
    ],
)
def test_what_is_told_is_taken_where_it_is_near_what_we_knew(said, old, code):
    line = weigh(KEY, said, old)

    assert (line.code, line.is_changed) == (code, code is None)


def test_what_is_told_is_meant_in_the_unit_of_the_old_price_or_else_in_the_likeliest():
    assert weigh(KEY, told(), OLD).unit == "megapixel"
    assert weigh(KEY, told(), None).unit == "request"


def test_a_price_that_was_taken_back_is_not_set_again_by_a_list():
    assert weigh(KEY, told(), None, is_withdrawn=True).code == "WITHDRAWN"


def test_the_same_price_is_no_change():
    line = weigh(KEY, told(usd=OLD.usd), OLD)

    assert (line.code, line.is_changed) == (None, False)


def test_those_that_have_a_list_can_be_asked():
    assert tellers() == ["fal", "openrouter"]


@pytest.fixture
def ask(emulator, db):
    def ask(provider="fal", *, today=LATER, dry_run=False):
        found = sync(provider, by="user:1", today=today, dry_run=dry_run)
        return {(line.model, line.variant): line for line in found.lines}

    return ask


def says(emulator, **prices):
    """fal's list has this instead: {endpoint: (price, unit)}."""
    listed = [
        {"endpoint_id": name, "unit_price": usd, "unit": unit, "currency": "USD"}
        for name, (usd, unit) in prices.items()
    ]
    rule = {"on": "prices", "do": "status", "status": 200, "body": {"prices": listed}}
    emulator.desks["fal"].plan.add(rule)


def test_what_is_the_same_is_verified_anew_so_that_it_does_not_go_stale(ask):
    lines = ask()

    price = book.current().get(KEY)
    assert (lines[FLUX, ""].code, lines[FLUX, ""].is_changed) == (None, False)
    assert (price.usd, price.source, price.verified_at) == (Decimal("0.025"), SOURCE, LATER)
    assert not book.current().is_stale(price, today=LATER)


def test_what_one_price_cannot_say_is_not_told(ask):
    lines = ask()

    untold = {model for (model, _), line in lines.items() if line.code}
    assert untold == {VEO, "fal-ai/topaz/upscale/video"}
    assert {line.code for line in lines.values()} == {None, "NOT_TOLD"}
    assert len(lines) == len([price for price in prices.load() if price.provider == "fal"])


def test_a_price_that_was_verified_today_is_not_written_again(ask):
    ask()
    count = OperatorPrice.objects.count()

    ask()

    assert OperatorPrice.objects.count() == count


def test_a_change_is_written_and_a_jump_is_shown(ask, emulator):
    klein, other = "fal-ai/flux/schnell", "fal-ai/elevenlabs/music"
    says(emulator, **{FLUX: (0.05, "megapixels"), klein: (0.3, "megapixels"), other: (0.8, "gpu seconds")})

    lines = ask()

    assert (lines[FLUX, ""].old.usd, lines[FLUX, ""].new, lines[FLUX, ""].is_changed) == (
        Decimal("0.025"), Decimal("0.05"), True,
    )  # fmt: skip
    assert (lines[klein, ""].new, lines[klein, ""].code) == (Decimal("0.3"), "PRICE_JUMPED")
    assert lines[other, ""].code == "UNIT_UNKNOWN"
    assert [(row.model, row.usd, row.set_by) for row in OperatorPrice.objects.all()] == [
        (FLUX, Decimal("0.05"), "user:1")
    ]


def test_a_dry_run_writes_nothing(ask, emulator):
    says(emulator, **{FLUX: (0.05, "megapixels")})

    assert ask(dry_run=True)[FLUX, ""].is_changed
    assert not OperatorPrice.objects.exists()


def test_what_the_operator_took_back_stays_so(ask, put):
    put(FLUX, None)

    assert ask()[FLUX, ""].code == "WITHDRAWN"
    assert book.current().get(KEY) is None


def test_clips_are_sold_by_their_size_and_sound(ask):
    lines = ask("openrouter")

    taken = {key for key, line in lines.items() if line.code is None}
    assert ("google/veo-3.1", "generate_audio=false,resolution=720p") in taken
    assert ("bytedance/seedance-2.0", "") in taken
    untold = {model for (model, _), line in lines.items() if line.code}
    assert untold == {
        "google/gemini-2.5-flash-image", "bytedance-seed/seedream-4.5", "black-forest-labs/flux.2-klein-4b",
        "openai/gpt-4o-mini-tts-2025-12-15",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"do": "garbage"}, "PROVIDER_UNAVAILABLE"),
        ({"do": "status", "status": 500, "times": None}, "PROVIDER_UNAVAILABLE"),
        ({"do": "status", "status": 429, "retry_after_s": 9}, "RATE_LIMITED"),
        ({"do": "status", "status": 401}, "KEY_INVALID"),
    ],
)
def test_a_vendor_that_does_not_answer_changes_nothing(emulator, db, fault, code):
    emulator.desks["fal"].plan.add({"on": "prices", **fault})

    found = sync("fal", by="test", today=DAY, dry_run=False)

    assert (found.lines, found.code) == ((), code)
    assert "fal-ai" not in found.message
    assert not OperatorPrice.objects.exists()


@pytest.mark.parametrize("listed", [None, "many", {}, [None, "x", {"endpoint_id": FLUX}]])
def test_nonsense_changes_nothing(ask, emulator, listed):
    rule = {"on": "prices", "do": "status", "status": 200, "body": {"prices": listed}}
    emulator.desks["fal"].plan.add(rule)

    lines = ask()

    assert {line.code for line in lines.values()} <= {"NOT_TOLD", "UNIT_UNKNOWN"}
    assert not OperatorPrice.objects.exists()


def test_nobody_is_asked_without_a_key(emulator, db, monkeypatch):
    monkeypatch.delenv("FAL_KEY")

    found = sync("fal", by="test", today=DAY, dry_run=False)

    assert (found.code, found.lines) == ("KEY_MISSING", ())


def test_there_is_no_asking_where_there_is_no_list(db):
    with pytest.raises(BadInput) as caught:
        sync("replicate", by="test", today=DAY, dry_run=False)
    assert caught.value.problems[0].code == "PRICES_NOT_TOLD"
    with pytest.raises(NotFound):
        sync("nobody", by="test", today=DAY, dry_run=False)


def test_a_price_without_a_like_is_weighed_by_its_own_variant():
    other = replace(OLD, variant="resolution=720p")

    assert weigh(other.key, None, other).variant == "resolution=720p"
