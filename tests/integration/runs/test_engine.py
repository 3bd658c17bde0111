"""A run from its first step to its film, one bell at a time."""

import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models.functions import Now
from PIL import Image

from core.errors import Conflict
from runs.control import cancel_run
from runs.engine import ask
from runs.engine.advance import advance_run
from runs.engine.submit import submit_attempt
from runs.models import Attempt
from tests.factories import make_run, planned
from zaps.planned import InputRef, Role, Source

pytestmark = pytest.mark.django_db(transaction=True)


def states(run):
    run.refresh_from_db()
    return run.status, dict(run.steps.values_list("step_id", "status"))


def test_three_instant_steps_become_a_finished_run(bells):
    run = make_run(planned("a"), planned("b", "a", kind="video.gen", duration_s=Decimal(1)), planned("c", "b"))

    bells.answer_all()

    assert states(run) == ("done", {"a": "done", "b": "done", "c": "done"})
    assert run.stage == "complete"
    assert run.finished_at is not None
    assert run.due_at is None


def test_every_asset_names_the_assets_it_was_made_from(bells):
    run = make_run(planned("a"), planned("b"), planned("c", "a", "b"))

    bells.answer_all()

    made = {asset.step.step_id: asset for asset in run.assets.select_related("step")}
    assert made["c"].parents == [made["a"].asset_id, made["b"].asset_id]
    assert made["a"].parents == []


def test_the_film_is_the_last_clip(bells):
    run = make_run(
        planned("a"),
        planned("clip", "a", kind="video.gen", duration_s=Decimal(1)),
        planned("film", "clip", kind="stitch"),
    )

    bells.answer_all()

    run.refresh_from_db()
    assert run.zap_url == run.assets.get(step__step_id="film").url


def test_independent_steps_begin_together(bells):
    run = make_run(planned("a"), planned("b"), planned("c", "a", "b"))

    advance_run(run.pk)

    assert states(run)[1] == {"a": "running", "b": "running", "c": "queued"}
    assert Attempt.objects.filter(run=run, status="planned").count() == 2


def test_a_failed_step_fails_the_run_and_skips_what_came_after(bells):
    run = make_run(planned("a", params={"mock": {"fail": "PROVIDER_FAILED"}}), planned("b", "a"))

    bells.answer_all()

    assert states(run) == ("failed", {"a": "failed", "b": "skipped"})
    assert run.error == "PROVIDER_FAILED"
    assert run.reserved_usd == 0


def test_the_same_message_twice_submits_once(bells):
    run = make_run(planned("a"))
    advance_run(run.pk)
    attempt = run.attempts.get()

    submit_attempt(attempt.pk)
    submit_attempt(attempt.pk)

    assert run.events.filter(type="attempt.submitting").count() == 1
    assert run.assets.count() == 1


def test_advancing_twice_begins_each_step_once(bells):
    run = make_run(planned("a"), planned("b", "a"))

    advance_run(run.pk)
    advance_run(run.pk)

    assert run.attempts.count() == 1


def test_events_number_every_transition_without_a_gap(bells):
    run = make_run(planned("a"))

    bells.answer_all()

    run.refresh_from_db()
    assert list(run.events.order_by("seq").values_list("seq", flat=True)) == list(range(1, run.revision + 1))


def test_a_canceled_run_begins_nothing_more(bells):
    run = make_run(planned("a", quote="0.5"), planned("b", "a", quote="1"))
    advance_run(run.pk)

    cancel_run(run.run_id, actor="user:1")
    bells.answer_all()

    assert states(run) == ("canceled", {"a": "canceled", "b": "canceled"})
    assert run.reserved_usd == 0
    assert run.assets.count() == 0


def test_a_finished_run_cannot_be_canceled(bells):
    run = make_run(planned("a"))
    bells.answer_all()

    with pytest.raises(Conflict):
        cancel_run(run.run_id, actor="user:1")


def test_cost_is_the_sum_of_the_attempts(bells):
    run = make_run(planned("a", quote="0.25"), planned("b", "a", quote="0.5"))

    bells.answer_all()

    run.refresh_from_db()
    spent = sum(attempt.actual_usd for attempt in run.attempts.all())
    assert run.cost_usd == spent
    assert run.reserved_usd == 0


def test_an_open_run_is_always_due_or_says_why(bells):
    run = make_run(planned("a"), planned("b", "a"))
    while bells.waiting:
        bells.answer()

        run.refresh_from_db()
        for row in [run, *run.steps.all()]:
            assert row.finished_at or row.due_at or row.wait_reason


def test_an_overdue_step_without_a_live_attempt_is_given_up(bells):
    run = make_run(planned("a"))
    advance_run(run.pk)
    run.attempts.update(status="failed", due_at=None, finished_at=Now())
    run.steps.update(due_at=Now() - timedelta(seconds=1))

    advance_run(run.pk)

    assert states(run)[0] == "failed"
    assert run.error == "POLL_DEADLINE_EXCEEDED"


def test_the_stage_says_what_the_run_is_busy_with(bells):
    run = make_run(planned("clip", kind="video.gen", duration_s=Decimal(1)), planned("film", "clip", kind="stitch"))
    stages = []
    while bells.waiting:
        run.refresh_from_db()
        stages.append(run.stage)
        bells.answer()
    run.refresh_from_db()

    assert [*stages, run.stage] == ["queued", "generating", "assembling", "complete"]


def test_a_run_remembers_its_session_and_how_it_was_paid_for(bells):
    run = make_run(planned("a"), session_id="s-1", mode="live")

    bells.answer_all()

    run.refresh_from_db()
    assert (run.session_id, run.provider_mode) == ("s-1", "live")


def test_an_extend_starts_from_the_last_frame_of_the_clip_before_it(bells):
    frame = InputRef(source=Source.STEP, name="clip", role=Role.FIRST_FRAME)
    run = make_run(
        planned("clip", kind="video.gen", duration_s=Decimal(1)),
        planned("more_1", "clip", kind="video.extend", duration_s=Decimal(1), inputs=(frame,)),
    )
    bells.answer_all()

    generation = ask.generation_of(run.attempts.get(step__step_id="more_1"))

    picture = Image.open(io.BytesIO(generation.first_frame.read()))
    assert picture.size == (640, 360)
    assert generation.videos == ()
    assert run.assets.get(step__step_id="more_1").parents == [run.assets.get(step__step_id="clip").asset_id]
