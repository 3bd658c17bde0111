"""What must hold for the list of every vendor's models and for its prices."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from providers import prices, sheet
from providers.adapters.mock import MAKES
from providers.registry import PROVIDERS
from providers.sheeted import SheetedProvider

HOME = Path(sheet.__file__).parent
VENDORS = sorted(path.stem for path in HOME.glob("models/*.toml"))


@pytest.fixture(params=sorted(path.stem for path in HOME.glob("price_book/*.toml")))
def page(request) -> str:
    return request.param


@pytest.fixture(params=VENDORS)
def vendor(request) -> str:
    return request.param


def lines(vendor):
    return tomllib.loads((HOME / "price_book" / f"{vendor}.toml").read_text())["price"]


def test_there_is_one_price_for_whatever_a_model_can_be_asked_for_and_none_besides(vendor):
    asked = [(model.model, variant) for model in sheet.load(vendor).values() for variant in model.all_variants()]

    assert sorted((line["model"], line.get("variant", "")) for line in lines(vendor)) == sorted(asked)


def test_everything_that_an_adapter_can_be_asked_for_has_a_price():
    book = prices.load()

    for provider in PROVIDERS:
        if isinstance(provider, SheetedProvider):
            for model in provider.sheets:
                for variant in provider.variants(model):
                    assert book.get((provider.name, model, variant))


def test_a_price_says_what_it_is_for_when_it_was_read_and_that_nobody_has_paid_it(page):
    for line in lines(page):
        assert line["provider"] == page
        assert line["unit"] in prices.UNITS
        assert line["usd"] > 0
        assert "not verified" in line["source"]
        assert date(2026, 11, 21) <= line["verified_at"] <= datetime.now(UTC).date()
        assert line.get("variant", "") == prices.read_variant(line.get("variant", ""))


def test_a_model_is_the_default_for_what_it_makes_and_nothing_else_is(vendor):
    sheets = sheet.load(vendor)
    usual = [kind for model in sheets.values() for kind in model.default_for]

    assert [model.model for model in sheets.values() if not set(model.default_for) <= set(model.makes)] == []
    assert sorted(usual) == sorted(set(usual))
    assert set(usual) == {kind for model in sheets.values() for kind in model.makes}
    assert set(usual) <= set(MAKES)


def test_a_tier_is_a_draft_or_a_final_result_and_a_family_edits_pictures(vendor):
    sheets = sheet.load(vendor)

    assert {model.tier for model in sheets.values()} <= {None, "draft", "final"}
    assert [
        model.model for model in sheets.values() if model.edit and "image.edit" not in sheets[model.edit].makes
    ] == []


def test_what_is_always_sent_does_not_hide_what_a_recipe_says(vendor):
    for model in sheet.load(vendor).values():
        fields = {model.prompt, model.duration, model.image, model.images, model.frame, *model.scales}
        assert not fields & set(model.always)
        assert not fields & set(model.params)


def test_a_field_that_changes_the_price_stands_in_one_place(vendor):
    for model in sheet.load(vendor).values():
        fields = {model.prompt, model.duration, model.image, model.aspect, *model.always, *model.params}
        assert not fields & set(model.variants)
        assert [name for name, values in model.variants.items() if len(values) < 2] == []
