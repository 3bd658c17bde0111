from datetime import date
from decimal import Decimal

import pytest

from providers.prices import load
from zaps.bundled import bundled
from zaps.plan import make_plan
from zaps.recipe import parse
from zaps.recipe.lint import lint

from .planning import Willing, installed

BUNDLED = {one.slug: one for one in bundled()}
INPUTS = {
    "hello-film": {},
    "lost-sock": {"SOCK": "grey", "LAST_SEEN": "on the dog"},
    "museum-of-mondays": {"EXHIBIT": "a mug", "CURATOR": "Empty, alas.", "ERA": "High Monday"},
}


def plan(slug, **more):
    recipe = parse(BUNDLED[slug].source, BUNDLED[slug].prompts)
    return make_plan(
        recipe,
        inputs=INPUTS[slug],
        providers=installed(Willing("fal"), Willing("mock")),
        prices=load(),
        today=date(2026, 11, 21),
        **{"mode": "live", **more},
    )


@pytest.mark.parametrize("slug", sorted(BUNDLED))
def test_a_bundled_recipe_is_tidy_priced_and_within_its_cap(slug):
    recipe = parse(BUNDLED[slug].source, BUNDLED[slug].prompts)

    assert recipe.slug == slug
    assert lint(recipe) == []
    assert plan(slug).warnings == ()
    assert Decimal(0) < plan(slug).quote_usd <= recipe.estimate_usd


def test_the_first_film_makes_its_clips_side_by_side():
    parents = {step.step_id: step.parents for step in plan("hello-film").steps}

    assert parents == {
        "portrait": (),
        "arrival": ("portrait",),
        "splash": ("portrait",),
        "tune": (),
        "film": ("arrival", "splash", "tune"),
    }


@pytest.mark.parametrize(("asked", "rooms"), [(None, 2), (0, 0), (6, 6), (64, 6)])
def test_the_museum_has_as_many_rooms_as_are_asked_for(asked, rooms):
    made = plan("museum-of-mondays", extend_count=asked, mode="mock")

    assert sum(step.recipe_step == "rooms" for step in made.steps) == rooms


def test_even_the_largest_museum_is_within_its_cap():
    assert plan("museum-of-mondays", extend_count=6).quote_usd < 6
