"""Everything that stores or reads a run's media, on a bucket; and what a bucket that is away costs."""

import base64
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from media.mock import mock_media
from runs import inputs
from runs.engine.render import render_attempt
from runs.engine.settle import settle_attempt
from runs.engine.submit import submit_attempt
from runs.engine.sweep import SETTLED, sweep
from runs.models import Attempt
from runs.thumbnails import thumbnail_of
from tests.factories import make_run, planned
from tests.integration.runs.conftest import bells, emulator, fal  # noqa: F401 (fixtures: the real engine)
from tests.integration.runs.life import live
from zaps.planned import InputRef, Role, Source

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("objects", "emulator")]

FRAME = (InputRef(source=Source.STEP, name="clip", role=Role.FIRST_FRAME),)


def clip():
    return planned("clip", kind="video.gen", duration_s=Decimal(1))


def state_of(attempt):
    attempt.refresh_from_db()
    return attempt.status, attempt.step.wait_reason, attempt.error


def put_in(run, content, name):
    return default_storage.save(f"runs/{run.run_id}/{name}", ContentFile(content))


def test_a_run_becomes_a_film_in_the_bucket(bells, objects):  # noqa: F811
    run = make_run(
        clip(),
        planned("more", "clip", kind="video.extend", duration_s=Decimal(1), inputs=FRAME),
        planned("film", "clip", "more", kind="stitch"),
        planned("stills", "film", kind="keyframes", params={"count": 2}),
    )

    bells.answer_all()

    run.refresh_from_db()
    assert run.status == "done"
    assert sorted(run.assets.values_list("storage_key", flat=True)) == objects.keys()
    for asset in run.assets.all():
        assert len(objects[asset.storage_key]) == asset.size_bytes
    assert thumbnail_of(run.assets.get(step__step_id="film")).content[:2] == b"\xff\xd8"


def test_what_came_inside_a_request_is_kept_and_read(objects):
    picture = mock_media("png", seed="a", label="x", width=64, height=64, duration_s=None)
    uri = "data:image/png;base64," + base64.b64encode(picture).decode()

    named = inputs.store_inputs({"PHOTO": uri, "OTHER": uri})["PHOTO"]

    assert len(objects.keys()) == 1
    assert inputs.read_input(named) == picture
    objects[objects.keys()[0]] = picture[:10]  # somebody died while storing it
    assert inputs.read_input(inputs.store_inputs({"PHOTO": uri})["PHOTO"]) == picture


def test_what_no_asset_names_is_swept(bells, objects):  # noqa: F811
    run = make_run(planned("a"))
    bells.answer_all()
    orphan = put_in(run, b"nobody's", "a/1/0-orphan.png")
    Attempt.objects.update(status="failed", finished_at=Now() - SETTLED - timedelta(minutes=1))

    assert sweep() == 1
    assert objects.keys() == [run.assets.get().storage_key]
    assert orphan not in objects.keys()


def test_a_result_that_cannot_be_stored_is_stored_later(bells, server):  # noqa: F811
    run = make_run(planned("a"))
    server.refusing = 403
    bells.answer_all()
    attempt = run.attempts.get()
    assert state_of(attempt) == ("settling", "backoff", "STORAGE_UNAVAILABLE")

    server.refusing = None
    settle_attempt(attempt.pk)
    bells.answer_all()

    assert state_of(attempt)[0] == "done"
    assert run.attempts.count() == 1


def test_a_paid_result_waits_half_an_hour_for_its_place(bells, server):  # noqa: F811
    run = make_run(planned("a"))
    server.refusing = 403
    bells.answer_all()
    attempt = run.attempts.get()
    Attempt.objects.filter(pk=attempt.pk).update(tries=30)

    settle_attempt(attempt.pk)
    assert state_of(attempt)[0] == "settling"

    Attempt.objects.filter(pk=attempt.pk).update(tries=36)
    settle_attempt(attempt.pk)
    assert state_of(attempt) == ("failed", None, "STORAGE_UNAVAILABLE")


def test_materials_that_cannot_be_read_are_rendered_later(bells, server):  # noqa: F811
    run = make_run(clip(), planned("film", "clip", kind="stitch"))
    while not run.attempts.filter(provider="local").exists():
        bells.answer()
    server.refusing = 403
    bells.answer_all()
    attempt = run.attempts.get(provider="local")
    assert state_of(attempt) == ("settling", "backoff", "STORAGE_UNAVAILABLE")

    server.refusing = None
    render_attempt(attempt.pk)
    bells.answer_all()

    assert state_of(attempt)[0] == "done"


def test_a_bucket_that_stays_away_fails_the_render_in_the_end(bells, server):  # noqa: F811
    run = make_run(clip(), planned("film", "clip", kind="stitch"))
    while not run.attempts.filter(provider="local").exists():
        bells.answer()
    server.refusing = 403
    attempt = run.attempts.get(provider="local")
    render_attempt(attempt.pk)
    Attempt.objects.filter(pk=attempt.pk).update(tries=30)
    render_attempt(attempt.pk)
    assert state_of(attempt)[0] == "settling"

    Attempt.objects.filter(pk=attempt.pk).update(tries=36)
    render_attempt(attempt.pk)
    assert state_of(attempt) == ("failed", None, "STORAGE_UNAVAILABLE")


@pytest.mark.parametrize(
    ("source", "role"),
    [(planned("clip"), Role.INPUT), (clip(), Role.FIRST_FRAME)],
    ids=["read while it is sent", "read before"],
)
def test_nothing_is_bought_while_what_goes_along_cannot_be_read(bells, fal, server, source, role):  # noqa: F811
    fields = {"model": "fal-ai/kling-video/v2.1/standard/image-to-video", "duration_s": Decimal(5), "quote": "0.28"}
    along = (InputRef(source=Source.STEP, name="clip", role=role),)
    run = live(source, planned("more", "clip", kind="video.gen", provider="fal", inputs=along, **fields))
    while not run.attempts.filter(provider="fal").exists():
        bells.answer()
    server.refusing = 403
    attempt = run.attempts.get(provider="fal")
    submit_attempt(attempt.pk)
    assert state_of(attempt)[:2] == ("planned", "backoff")
    assert not fal.bought()

    server.refusing = None
    Attempt.objects.filter(pk=attempt.pk).update(due_at=Now())
    submit_attempt(attempt.pk)

    assert len(fal.bought()) == 1
