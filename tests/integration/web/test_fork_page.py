"""Branching a run off in the browser: only what is different is said, and what it costs is told before."""

from datetime import UTC, datetime

import pytest

from accounts.caller import Caller, Scope
from runs.models import Run
from runs.order import Mode, Order, draft, place
from tests.integration.gates import costly
from tests.integration.runs.life import USD, go_on
from tests.integration.web.test_run_page import path_of, step_of
from tests.pages import parse
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db

TWO = """---
zap: two-signs
version: 1
description: A sign, and another one.
inputs:
  NAME: {type: string, required: true}
  COLOUR: {type: string, required: true}
defaults: {provider: fal}
budget: {estimate_usd: 0.05, cap_usd: 1}
steps:
  - {id: door, kind: image.gen, model: fal-ai/flux/dev, prompt: "A {COLOUR} door"}
  - {id: name, kind: image.gen, model: fal-ai/flux/dev, prompt: "A sign for {NAME}"}
---
Two signs.
"""


@pytest.fixture
def ran(as_alice, blue_door):
    """A rehearsal of the blue door for Ada."""
    as_alice.press(as_alice.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada"})
    return Run.objects.get()


def test_the_form_holds_the_answers_and_the_new_run_has_the_changed_ones(as_alice, ran):
    page = as_alice.open(
        next(one for one in as_alice.open(path_of(ran)).all("a") if one.text == "Branch off").given["href"]
    )
    assert page.one("input", name="input.NAME").given["value"] == "Ada"
    assert page.one("section", id="plan").one("table")

    answer = as_alice.press(page, "Branch off", **{"input.NAME": "Bea"})

    child = Run.objects.get(parent=ran)
    assert (answer.status_code, answer["Location"]) == (303, path_of(child))
    assert (child.inputs["NAME"], child.provider_mode) == ("Bea", "mock")


def test_the_price_is_of_what_the_change_makes_anew(as_alice, alice, bells, fal):
    publish(Entry(source=TWO, visibility="public"), author=None)
    wanted = Order(slug="two-signs", inputs={"NAME": "Ada", "COLOUR": "blue"}, mode=Mode.LIVE)
    caller = Caller(user=alice, principal_id=f"user:{alice.pk}", scopes=frozenset(Scope))
    run = place(draft(wanted, caller, today=datetime.now(UTC).date()), caller)
    go_on(bells)

    page = as_alice.open(f"{path_of(run)}/fork")
    changed = parse(as_alice.press(page, "Show the price", **{"input.NAME": "Bea"})).one("section", id="plan")

    same = page.one("section", id="plan")
    assert same.one("strong").text == "$0"
    assert "2 of 2 steps are taken over and cost nothing." in same.text
    assert changed.one("strong").text == f"${USD}"
    assert "1 of 2 steps is taken over and costs nothing." in changed.text
    assert [row.all("td")[2].text for row in changed.one("tbody").all("tr")] == ["taken over", "1"]
    assert changed.one("tfoot").one("td").text == f"${USD}"
    assert Run.objects.count() == 1


def test_what_follows_from_a_change_is_not_told_as_taken_over(as_alice, ran, bells):
    go_on(bells)

    page = as_alice.open(f"{path_of(ran)}/fork")
    changed = parse(as_alice.press(page, "Show the price", **{"input.NAME": "Bea"}))

    assert "3 of 3 steps" in page.one("section", id="plan").text
    assert "0 of 3 steps" in changed.one("section", id="plan").text


def test_an_answer_that_is_left_as_it_was_is_not_said_again(as_alice, ran):
    Run.objects.update(inputs={"NAME": "Ada", "PHOTO": "input:inputs/" + "a" * 64 + "|image/png"})

    page = as_alice.open(f"{path_of(ran)}/fork")
    as_alice.press(page, "Branch off", **{"input.NAME": "Bea"})

    child = Run.objects.get(parent=ran)
    assert child.inputs["PHOTO"].startswith("input:inputs/")


def test_an_answer_that_is_missing_is_told_at_its_field(as_alice, ran):
    page = as_alice.open(f"{path_of(ran)}/fork")

    answer = as_alice.press(page, "Branch off", **{"input.NAME": ""})

    assert answer.status_code == 422
    assert b'id="input-NAME-wrong"' in answer.content
    assert Run.objects.count() == 1


def test_a_run_whose_recipe_is_not_in_the_catalogue_is_branched_off_without_a_price(as_alice, ran):
    Run.objects.update(zap_version=0)

    page = as_alice.open(f"{path_of(ran)}/fork")

    assert "its price is not told" in page.one("section", id="plan").text
    assert as_alice.press(page, "Branch off", **{"input.NAME": "Bea"}).status_code == 303


def test_a_strangers_run_is_not_branched_off(as_bob, ran):
    as_bob.open(f"{path_of(ran)}/fork", status=404)


def test_a_button_that_spends_says_how_much_at_most(as_alice, alice):
    run = costly(alice)
    Run.objects.update(provider_mode="live")

    page = as_alice.open(path_of(run))

    again = next(one for one in step_of(page, "door").all("button") if one.text.startswith("Make again"))
    assert again.text == "Make again up to $4.00"
    assert again.given["aria-label"] == "Make again: door, up to $4.00"
    assert "may cost $4.00" in again.given["data-sure"]
    on = next(one for one in page.one("header", class_="head").all("button") if one.text.startswith("Go on"))
    assert on.text == "Go on up to $4.00"
