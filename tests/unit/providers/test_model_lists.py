"""What must hold for the list of every vendor's models and for its prices."""

import tomllib
from pathlib import Path

import pytest

from providers import prices, sheet
from providers.adapters.mock import MAKES

HOME = Path(sheet.__file__).parent
VENDORS = sorted(path.stem for path in HOME.glob("models/*.toml"))


@pytest.fixture(params=VENDORS)
def vendor(request) -> str:
    return request.param


def lines(vendor):
    return tomllib.loads((HOME / "price_book" / f"{vendor}.toml").read_text())["price"]


def test_every_model_has_a_price_and_every_price_a_model(vendor):
    assert sorted(line["model"] for line in lines(vendor)) == sorted(sheet.load(vendor))


def test_a_price_says_what_it_is_for_and_that_nobody_has_paid_it(vendor):
    for line in lines(vendor):
        assert line["provider"] == vendor
        assert line["unit"] in prices.UNITS
        assert line["usd"] > 0
        assert "not verified" in line["source"]


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
