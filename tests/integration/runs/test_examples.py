"""Every recipe in `examples/` becomes a film on the mock, and shows what it is there to show."""

from datetime import date
from pathlib import Path

import pytest

from accounts.caller import Caller, Scope
from runs import control
from runs.order import Mode, Order, draft, place
from tests.examples import EXAMPLES, inputs_of
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}


@pytest.fixture
def make(bells):
    """Run an example as Alice, as far as it goes without anybody."""
    alice = make_user("alice")
    caller = Caller(user=alice, principal_id=f"user:{alice.pk}", scopes=frozenset(Scope))

    def begin(name, **inputs):
        order = Order(source=EXAMPLES[name], inputs={**inputs_of(name), **inputs}, mode=Mode.MOCK)
        run = place(draft(order, caller, today=date(2026, 11, 21)), caller)
        bells.answer_all()
        run.refresh_from_db()
        return run

    return begin


def states(run):
    run.refresh_from_db()
    return run.status, dict(run.steps.values_list("step_id", "status"))


def film(run):
    return run.assets.get(step__step_id="film")


def parents(run, step_id):
    return run.assets.get(step__step_id=step_id).parents


def asset_of(run, step_id):
    return run.assets.get(step__step_id=step_id).asset_id


def test_four_candidates_are_judged_and_one_is_filmed(make):
    run = make("candidates-and-judge")

    assert states(run)[0] == "done"
    made = run.attempts.filter(step__step_id="postcard", role="make", status="done")
    assert (made.count(), run.feedback.filter(kind="judge_score").count()) == (4, 4)


def test_the_gate_waits_for_a_person_and_goes_on_with_what_they_picked(make, bells):
    run = make("gate")
    assert states(run) == ("waiting", {"mask": "waiting", "dance": "queued", "film": "queued"})
    mask = run.steps.get(step_id="mask")
    other = run.assets.exclude(attempt=mask.chosen).get()

    control.approve_run(run.run_id, actor="eva", asset_id=other.asset_id)
    bells.answer_all()

    assert states(run)[0] == "done"
    assert parents(run, "dance") == [other.asset_id]


def test_a_chain_goes_on_from_its_own_clips(make):
    run = make("extend-chain")

    assert states(run)[0] == "done"
    assert parents(run, "further_1") == [asset_of(run, "start")]
    assert parents(run, "further_2") == [asset_of(run, "further_1")]


def test_anchored_endings_begin_with_one_larger_frame(make):
    run = make("extend-anchored")

    assert states(run)[0] == "done"
    frame = asset_of(run, "endings_1_frame")
    assert [parents(run, f"endings_{number}") for number in (1, 2, 3)] == [[frame]] * 3


def test_the_matrix_makes_six_different_pictures(make):
    run = make("matrix-of-styles")

    assert states(run)[0] == "done"
    assert len({asset.sha256 for asset in run.assets.filter(step__step_id__startswith="fox_")}) == 6
    assert film(run).duration_s == 5 + 6 * 3


def test_what_the_inputs_do_not_want_is_skipped(make):
    status, steps = states(make("when-and-needs", WEATHER="sun", STORY="It shines."))

    assert status == "done"
    assert (steps["drops"], steps["narrator"], steps["tune"]) == ("skipped", "done", "done")


def test_a_film_has_the_sound_that_was_asked_for(make):
    run = make("soundtrack")

    assert states(run)[0] == "done"
    assert run.output == "Tram.mp4"
    assert run.steps.get(step_id="film").spec["params"]["loudness_lufs"] == -16
    assert film(run).duration_s == 10


def test_a_shared_sketch_is_drawn_once_for_two_films(make):
    first, second = make("shared-sketch"), make("shared-sketch", DEED="bakes a cake")

    assert (first.status, second.status) == ("done", "done")
    assert parents(second, "heroine") == [asset_of(first, "heroine")]
    assert second.attempts.get(step__step_id="heroine").cost_source == "reused"
    assert film(first).sha256 != film(second).sha256


def test_a_film_that_needs_no_retry_is_made_at_the_first_try(make):
    run = make("retry-with-fallback")

    assert states(run)[0] == "done"
    assert run.attempts.filter(step__step_id="stream").count() == 1


def test_the_retries_can_be_rehearsed(make, monkeypatch):
    step, trouble = "  - id: boat\n", "    params: {mock: {fail: PROVIDER_FAILED}}\n"
    failing = EXAMPLES["retry-with-fallback"].replace(step, step + trouble).replace(", backoff_s: 5", "")
    monkeypatch.setitem(EXAMPLES, "retry-with-fallback", failing)

    run = make("retry-with-fallback")

    assert (run.status, run.error) == ("failed", "PROVIDER_FAILED")
    assert run.attempts.filter(step__step_id="boat").count() == 3


def test_every_example_is_run_here():
    text = Path(__file__).read_text("utf-8")

    assert not [name for name in EXAMPLES if f'make("{name}"' not in text]
