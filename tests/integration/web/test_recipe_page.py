"""A recipe's page: the form, the price, the button."""

import pytest

from runs.models import Run
from tests.integration.recipes import DOOR
from tests.pages import parse
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db
EVERY = DOOR.replace("zap: blue-door", "zap: every-kind").replace(
    "  PHOTO: {type: image}",
    "  PHOTO: {type: image}\n  CLIP: {type: video}\n  SONG: {type: audio}\n  STORY: {type: textarea, hint: Once}\n"
    "  COUNT: {type: number}\n  MOOD: {type: select, options: [calm, wild], label: Which mood?}",
)


def test_the_form_asks_for_every_input_by_its_kind(nobody):
    publish(Entry(source=EVERY, prompts={}, visibility="public"), author=None)

    form = nobody.open("/zaps/every-kind").one("form", id="order")

    assert "required" in form.one("input", name="input.NAME").given
    assert form.one("input", name="input.COUNT").given["type"] == "number"
    assert form.one("textarea", name="input.STORY").given["placeholder"] == "Once"
    options = [one.text for one in form.one("select", name="input.MOOD").all("option")]
    assert options == ["As the recipe likes", "calm", "wild"]
    assert [one.given["kind"] for one in form.all("zap-upload")] == ["image", "video", "audio"]
    for one in [*form.all("input"), *form.all("select"), *form.all("textarea")]:
        if one.given.get("type") not in ("hidden", "radio"):
            assert form.one("label", **{"for": one.given["id"]}).text


def test_the_page_shows_the_plan_before_anything_was_typed(as_alice, recipes):
    page = as_alice.open("/zaps/hello-film")

    rows = [row.one("th").text for row in page.one("section", id="plan").one("tbody").all("tr")]
    assert rows == ["portrait", "arrival", "splash", "tune", "film"]
    assert page.one("g", id="box-film").given["aria-label"] == "film, Film, after arrival, splash, tune"


def test_a_required_answer_is_stood_in_for_until_it_is_given(as_alice, blue_door):
    page = as_alice.open("/zaps/blue-door")

    assert "with example answers" in page.one("p", class_="price").text
    assert len(page.one("tbody").all("tr")) == 3


def test_the_price_is_shown_for_what_the_form_holds(as_alice, blue_door):
    answer = as_alice.press(as_alice.open("/zaps/blue-door"), "Show the price", **{"input.NAME": "Ada"})

    page = parse(answer)
    assert "for the first tries" in page.one("p", class_="price").text
    assert page.one("input", name="input.NAME").given["value"] == "Ada"
    assert not Run.objects.exists()


def test_what_is_missing_for_a_price_is_said_in_its_place(as_alice, blue_door):
    page = parse(as_alice.press(as_alice.open("/zaps/blue-door"), "Show the price"))

    assert "NAME is required" in page.one("section", id="plan").text


def test_pressing_run_begins_a_run_and_leads_to_it(as_alice, alice, blue_door):
    answer = as_alice.press(as_alice.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada"})

    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/runs/{run.run_id}")
    assert (run.owner, run.provider_mode, run.inputs) == (alice, "mock", {"NAME": "Ada"})


def test_pressing_twice_begins_one_run(as_alice, blue_door):
    page = as_alice.open("/zaps/blue-door")

    addresses = {as_alice.press(page, "Run", **{"input.NAME": "Ada"})["Location"] for _ in range(2)}

    assert len(addresses) == Run.objects.count() == 1


def test_a_form_that_is_wrong_comes_back_with_the_reason_at_its_field(as_alice, blue_door):
    answer = as_alice.press(
        as_alice.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada", "input.PHOTO": "http://localhost/x.png"}
    )

    page = parse(answer)
    field = page.one("input", name="input.PHOTO")
    assert answer.status_code == 422
    assert field.given["aria-invalid"] == "true"
    assert "must be an https address" in page.one("p", id="input-PHOTO-wrong").text
    assert field.given["value"] == "http://localhost/x.png"
    assert page.one("input", name="input.NAME").given["value"] == "Ada"


def test_a_number_is_sent_as_one(as_alice):
    publish(Entry(source=EVERY, prompts={}, visibility="public"), author=None)

    as_alice.press(as_alice.open("/zaps/every-kind"), "Run", **{"input.NAME": "Ada", "input.COUNT": "2.5"})

    assert Run.objects.get().inputs == {"NAME": "Ada", "COUNT": 2.5}


def test_the_cap_of_the_form_is_the_cap_of_the_run(as_alice, blue_door):
    as_alice.press(as_alice.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada", "maxUsd": "1.25"})

    assert str(Run.objects.get().cap_usd) == "1.250000"


def test_a_live_run_is_refused_as_the_interface_refuses_it(as_alice, recipes):
    page = as_alice.open("/zaps/hello-film")

    answer = as_alice.press(page, "Run", mode="live", maxUsd="0.01")

    assert answer.status_code == 402
    assert "would cost" in parse(answer).one("div", role="alert").text or "cap" in answer.content.decode()
    assert not Run.objects.exists()


def test_a_visitor_rehearses_where_that_is_open_and_finds_the_run_again(nobody, blue_door, settings):
    settings.ZAP_OPEN_MODES = ("plan", "mock")

    answer = nobody.press(nobody.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada"})

    assert answer.status_code == 303
    assert nobody.open("/runs").one("h2").one("a").given["href"] == answer["Location"]
    assert nobody.open(answer["Location"]).all("button", formaction=f"{answer['Location']}/cancel")


def test_a_visitor_is_asked_to_sign_in_where_it_is_not_open(nobody, blue_door, settings):
    settings.ZAP_OPEN_MODES = ()

    page = nobody.open("/zaps/blue-door")

    assert page.one("a", href="/sign-in?next=/zaps/blue-door").text == "Sign in to run"
    assert not [one for one in page.all("button") if one.text == "Run"]


@pytest.mark.parametrize("like", ["run_none", "../../zaps", "run_none/cancel", ""])
def test_a_run_that_is_not_there_leaves_the_form_empty(like, as_alice, blue_door):
    page = as_alice.open(f"/zaps/blue-door?like={like}")

    assert page.one("input", name="input.NAME").given["value"] == ""


def test_the_answers_of_somebody_elses_run_are_not_told(as_alice, as_bob, blue_door):
    run_id = as_alice.press(as_alice.open("/zaps/blue-door"), "Run", **{"input.NAME": "Ada"})["Location"].split("/")[-1]

    assert as_alice.open(f"/zaps/blue-door?like={run_id}").one("input", name="input.NAME").given["value"] == "Ada"
    assert as_bob.open(f"/zaps/blue-door?like={run_id}").one("input", name="input.NAME").given["value"] == ""


def test_a_form_from_another_site_begins_nothing(as_alice, blue_door):
    page = as_alice.open("/zaps/blue-door")

    answer = as_alice.press(page, "Run", **{"input.NAME": "Ada", "csrfmiddlewaretoken": "x" * 64})

    assert answer.status_code == 403
    assert not Run.objects.exists()
