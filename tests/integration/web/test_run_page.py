"""A run's page: what it says of every state, and what a person does there."""

from datetime import UTC, datetime

import pytest

from runs.models import Feedback, Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import costly, gated, hold, make_attempt, propose
from tests.pages import parse
from zaps.planned import Gate

pytestmark = pytest.mark.django_db


def path_of(run):
    return f"/runs/{run.run_id}"


def step_of(page, step_id):
    return page.one("li", id=f"step-{step_id}")


def buttons(element):
    return [one.text for one in element.all("button")]


@pytest.fixture
def waiting(alice):
    """A run of Alice's that waits with two pictures to choose from."""
    run = gated(alice, candidates=2)
    make_attempt(run, 1, score=[0.4])
    propose(run, make_attempt(run, 2, score=[0.8]))
    return run


def test_a_run_is_drawn_as_the_graph_that_it_is(as_alice, alice):
    run = make_run(
        planned("door"),
        planned("sound", kind="audio.music"),
        planned("film", "door", "sound", kind="stitch"),
        owner=alice,
    )

    page = as_alice.open(path_of(run))

    boxes = [one for one in page.all("a") if one.given.get("id", "").startswith("box-")]
    assert [one.given["aria-label"] for one in boxes] == [
        "door, Picture, Queued, first",
        "sound, Music, Queued, first",
        "film, Film, Queued, after door, sound",
    ]
    assert len(page.all("path", class_="edge")) == 2
    for box in boxes:
        assert page.one("li", id=box.given["href"].removeprefix("#"))


def test_a_step_says_for_which_it_waits(as_alice, alice):
    run = make_run(planned("door"), planned("film", "door", kind="stitch"), owner=alice)

    assert step_of(as_alice.open(path_of(run)), "film").one("p", class_="why").text == "Waits for door."


def test_a_gate_offers_every_result_and_the_chosen_one_counts(as_alice, waiting):
    page = as_alice.open(path_of(waiting))
    door = step_of(page, "door")

    assert page.one("span", id="now").text == "Needs you: door"
    assert len(door.one("ul", class_="choices").all("img")) == 2
    second = next(
        form
        for form in door.all("form")
        if "Use try 1 of door" in str(form.one("button").given if len(form.all("button")) == 1 else "")
    )
    answer = as_alice.press(second, "Use this one")

    assert (answer.status_code, answer["Location"]) == (303, path_of(waiting))
    step = Step.objects.get(run=waiting, step_id="door")
    assert (step.status, step.chosen.number) == ("done", 1)


def test_a_result_is_judged_in_the_same_breath_as_it_is_shown(as_alice, waiting):
    captions = [one.text for one in step_of(as_alice.open(path_of(waiting)), "door").all("figcaption")]

    assert captions == ["Try 2 · judged 0.8", "Try 1 · judged 0.4"]


def test_a_gate_says_what_happens_when_nobody_answers(as_alice, alice):
    run = gated(alice, gate=Gate(timeout_s=3600, on_timeout="reject"))
    hold(run, "approval", until=datetime(2026, 5, 1, 13, tzinfo=UTC))

    notice = step_of(as_alice.open(path_of(run)), "door").one("div", class_="care")

    assert "Without an answer all are refused at 1 May 2026, 13:00 UTC" in notice.text


def test_a_gate_can_be_refused_and_made_again(as_alice, alice, waiting):
    door = step_of(as_alice.open(path_of(waiting)), "door")
    assert buttons(door) == ["Use this one", "Use this one", "Make again", "Reject"]

    as_alice.press(door, "Reject")

    assert Step.objects.get(run=waiting, step_id="door").error == "REJECTED"


def test_canceling_ends_the_run_and_its_page_offers_to_go_on(as_alice, alice):
    run = make_run(planned("door"), owner=alice)

    as_alice.press(as_alice.open(path_of(run)), "Cancel")

    page = as_alice.open(path_of(run))
    assert Run.objects.get().status == "canceled"
    assert page.one("span", id="now").text == "Canceled"
    assert "Go on" in buttons(page.one("header", class_="head"))
    assert not [one for one in page if "data-events" in one.given]


def test_what_came_too_late_is_told_on_the_page_and_changes_nothing(as_alice, waiting):
    stale = as_alice.open(path_of(waiting))
    as_alice.press(stale, "Cancel")

    answer = as_alice.press(step_of(stale, "door"), "Use this one")

    assert answer.status_code == 409
    assert parse(answer).one("div", role="alert").text
    assert not Feedback.objects.filter(rater="human").exists()


def test_a_failure_says_what_happened_and_what_to_do(as_alice, alice):
    run = costly(alice)

    page = as_alice.open(path_of(run))

    notice = step_of(page, "door").one("div", class_="bad")
    assert all(part.text for part in notice.all("p"))
    assert "Make again" in buttons(step_of(page, "door"))


def test_more_than_the_cap_allows_is_refused_with_the_sum(as_alice, alice):
    run = costly(alice)

    answer = as_alice.press(step_of(as_alice.open(path_of(run)), "door"), "Make again")

    assert answer.status_code == 402
    page = parse(answer)
    assert "5" in page.one("div", role="alert").text
    assert Run.objects.get().status == "failed"
    cap = step_of(page, "door").one("input", name="maxUsd").given
    # A browser takes no value between two steps, and a cap may have more places than two.
    assert (cap["value"], cap["step"]) == ("5.0", "any")

    again = as_alice.press(step_of(page, "door"), "Make again", maxUsd="9")

    assert again.status_code == 303
    assert Run.objects.get().cap_usd == 9


def test_a_strangers_run_is_not_there(as_bob, waiting):
    assert "no run" in as_bob.open(path_of(waiting), status=404).text


def test_who_is_not_signed_in_is_led_to_where_they_can(nobody, alice, settings):
    settings.ZAP_OPEN_MODES = ()

    answer = nobody.client.get("/runs")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in?next=%2Fruns")


def test_a_run_is_shown_to_whoever_has_its_shared_address_and_nobody_else(as_alice, nobody, waiting, settings):
    settings.ZAP_OPEN_MODES = ()

    shared = parse(as_alice.press(as_alice.open(path_of(waiting)), "Share"))

    address = shared.one("input", id="share-address").given["value"].removeprefix("http://testserver")
    page = nobody.open(address)
    assert [one.text for one in page.one("article").all("button")] == []
    assert page.one("article").given["data-events"].startswith(f"/api{path_of(waiting)}/events?token=share_")
    assert all("?token=share_" in one.given["src"] for one in page.one("article").all("img"))
    nobody.open(path_of(waiting), status=404)
    assert waiting.run_id not in nobody.open(f"{path_of(waiting)}?token=share_wrong", status=401).one("main").text


def test_a_verb_that_there_is_not_is_not_there(as_alice, waiting):
    page = as_alice.open(path_of(waiting))
    token = page.all("input", name="csrfmiddlewaretoken")[0].given["value"]

    answer = as_alice.client.post(f"{path_of(waiting)}/explode", {"csrfmiddlewaretoken": token})

    assert answer.status_code == 404


def test_my_runs_are_mine_newest_first_and_can_be_sifted(as_alice, alice, as_bob):
    first, second = make_run(planned("door"), owner=alice), make_run(planned("door"), owner=alice)
    Run.objects.filter(pk=first.pk).update(status="done", stage="complete", due_at=None, finished_at=first.started_at)

    links = [one.one("h2").one("a").given["href"] for one in as_alice.open("/runs").all("li", class_="card")]

    assert links == [path_of(second), path_of(first)]
    done = as_alice.open("/runs?status=done").all("li", class_="card")
    assert [one.one("h2").one("a").given["href"] for one in done] == [path_of(first)]
    assert not as_bob.open("/runs").all("li", class_="card")


def test_my_runs_are_sifted_by_recipe_and_state_together(as_alice, alice):
    blue, red = make_run(planned("door"), owner=alice), make_run(planned("door"), owner=alice)
    Run.objects.filter(pk=red.pk).update(zap_slug="red-door")

    page = as_alice.open("/runs?recipe=red-door")

    assert [one.one("h2").one("a").given["href"] for one in page.all("li", class_="card")] == [path_of(red)]
    done = next(one for one in page.all("a", class_="tag") if one.text == "Done").given["href"]
    assert done == "/runs?status=done&recipe=red-door"
    assert not as_alice.open(done).all("li", class_="card")
    assert blue.zap_slug != "red-door"


def test_older_runs_are_a_page_away_and_stay_sifted(as_alice, alice):
    runs = [make_run(planned("door"), owner=alice) for _ in range(21)]

    older = as_alice.open(f"/runs?recipe={runs[0].zap_slug}").one("a", rel="next").given["href"]

    assert f"recipe={runs[0].zap_slug}" in older
    assert [one.one("h2").one("a").given["href"] for one in as_alice.open(older).all("li", class_="card")] == [
        path_of(runs[0])
    ]


def test_a_run_that_ended_is_deleted_with_a_press_and_one_at_work_is_not(as_alice, alice):
    run = make_run(planned("door"), owner=alice)
    assert "Delete" not in buttons(as_alice.open(path_of(run)).one("header", class_="head"))
    as_alice.press(as_alice.open(path_of(run)), "Cancel")

    answer = as_alice.press(as_alice.open(path_of(run)), "Delete")

    assert (answer.status_code, answer["Location"]) == (303, "/runs")
    as_alice.open(path_of(run), status=410)


@pytest.mark.django_db(transaction=True)
def test_a_whole_run_made_by_the_engine_ends_as_a_film_with_its_timings(as_alice, bells, recipes):
    begun = as_alice.press(as_alice.open("/zaps/hello-film"), "Run", **{"input.CREATURE": "a newt"})
    bells.answer_all()

    page = as_alice.open(begun["Location"])

    film = page.one("section", class_="film").one("video")
    content = as_alice.client.get(film.given["src"])
    content.close()
    assert content["Content-Type"] == "video/mp4"
    assert [row.one("th").text for row in page.one("table", class_="gantt").one("tbody").all("tr")] == [
        "portrait", "arrival", "splash", "tune", "film",
    ]  # fmt: skip
    assert len(page.all("path", class_="flows")) == 5
    as_alice.press(page, "I like it", vote="up")
    assert as_alice.open(begun["Location"]).one("button", aria_pressed="true").text == "I like it"
    another = as_alice.open(next(one for one in page.all("a") if one.text == "Make another").given["href"])
    assert another.one("input", name="input.CREATURE").given["value"] == "a newt"
    assert step_of(page, "portrait").one("img").given["alt"] == "portrait"
    assert step_of(page, "tune").one("audio").given["aria-label"] == "tune"
