"""Branching a run off in the browser: only what is different is said, and what it costs is told before."""

import pytest

from runs.models import Run
from tests.integration.gates import costly
from tests.integration.web.test_run_page import path_of, step_of

pytestmark = pytest.mark.django_db


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
