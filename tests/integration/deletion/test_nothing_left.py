"""A word that is planted wherever a person can write, or a provider or a judge, is nowhere once the run is deleted."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from accounts.vault.cipher import new_key
from notifications.models import Delivery
from notifications.signing import new_secret
from runs.deletion import files
from runs.models import Asset, Attempt, DoomedFile, Feedback, Run, RunShare, Step, Upload, Webhook
from tests.integration.deletion.traces import data_uri, files_with, picture, stored, tables_with
from tests.integration.recipes import DOOR

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quetzalcoatl"
RECIPE = DOOR.replace("A blue door for {NAME}", f"A door, {WORD}, for {{NAME}}").replace(
    "PHOTO: {type: image}", "PHOTO: {type: image}\n  SKETCH: {type: image}"
)


def send_file(headers, content):
    file = SimpleUploadedFile(f"{WORD}.png", content, content_type="image/png")
    return Client().post("/api/uploads", {"file": file}, headers=headers).json()["uploadId"]


@pytest.fixture
def run(bells, post, as_alice, alice, settings):
    """A finished run with that word in everything."""
    settings.ZAP_SECRET_KEYS = [new_key()]
    settings.ZAP_WEBHOOK_ORIGINS = ["http://127.0.0.1:9"]
    upload_id = send_file(as_alice, picture(WORD, "b"))
    inputs = {"NAME": WORD, "PHOTO": data_uri(picture(WORD)), "SKETCH": f"upload:{upload_id}"}
    webhook = {"url": f"http://127.0.0.1:9/{WORD}", "secret": new_secret()}
    order = {"source": RECIPE, "inputs": inputs, "mode": "mock", "webhook": webhook}
    headers = {**as_alice, "X-Zap-Session": WORD, "Idempotency-Key": "k1"}
    answer = post("/api/zaps/run", order, **headers)
    assert answer.status_code == 202, answer.content
    bells.answer_all()
    run = Run.objects.get()
    assert run.status == "done"
    said = {"vote": "up", "comment": WORD, "scores": {WORD: 0.5}, "stepId": "door"}
    assert post(f"/api/runs/{run.run_id}/feedback", said, **headers | {"Idempotency-Key": "k2"}).status_code == 201
    post(f"/api/runs/{run.run_id}/share", {}, **as_alice)
    _as_others_leave_it(run)
    return run


def _as_others_leave_it(run):
    """What a vendor, a judge and a webhook of a live run leave in its rows."""
    attempt = Attempt.objects.filter(run=run).order_by("pk").first()
    Attempt.objects.filter(pk=attempt.pk).update(logs=[WORD], urls={"status": f"https://example.com/{WORD}"})
    Step.objects.filter(pk=attempt.step_id).update(
        spec={**attempt.step.spec, "judge": {"criteria": [WORD], "threshold": "0.7"}, "params": {"text": WORD}}
    )
    asset = Asset.objects.filter(attempt=attempt).first()
    scores = {"overall": 0.8, "passed": True, WORD: 0.8, "unjudged": [WORD]}
    Feedback.objects.create(
        run=run, step=attempt.step, asset=asset, kind="judge_score", rater="vlm", scores=scores, comment=WORD
    )
    Delivery.objects.filter(run=run).update(log=[WORD])
    Webhook.objects.create(attempt=attempt, provider="fal", event_id=WORD, request_id="1", outcome="rung")


def test_the_word_was_everywhere(run):
    held = {"attempts", "deliveries", "feedback", "idempotency_keys", "runs", "steps", "webhook_endpoints", "webhooks"}

    assert held <= set(tables_with(WORD))
    assert len(files_with(WORD)) == 2


def test_it_is_nowhere_once_the_run_is_deleted(run, bells, delete, as_alice):
    delete(run, as_alice)
    DoomedFile.objects.update(due_at=Now())
    bells.answer_all()
    files.delete_due()

    assert tables_with(WORD) == []
    assert stored() == []
    assert not RunShare.objects.exists()
    assert not Upload.objects.exists()
    assert not DoomedFile.objects.exists()


def test_whoever_asks_again_with_the_same_key_is_told_that_it_is_gone_and_starts_nothing(run, delete, post, as_alice):
    delete(run, as_alice)

    answer = post(
        f"/api/runs/{run.run_id}/feedback",
        {"vote": "up", "comment": WORD, "scores": {WORD: 0.5}, "stepId": "door"},
        **{**as_alice, "Idempotency-Key": "k2"},
    )

    assert (answer.status_code, answer.json()["code"]) == (410, "RUN_DELETED")
    assert Run.objects.count() == 1


def test_an_input_that_another_run_uses_stays_until_that_goes_too(run, bells, delete, post, as_alice):
    inputs = {"NAME": "Ada", "PHOTO": data_uri(picture(WORD)), "SKETCH": "upload:" + Upload.objects.get().upload_id}
    order = {"source": DOOR.replace("PHOTO: {type: image}", "PHOTO: {type: image}\n  SKETCH: {type: image}")}
    assert post("/api/zaps/run", {**order, "inputs": inputs, "mode": "mock"}, **as_alice).status_code == 202
    bells.answer_all()
    other = Run.objects.latest("pk")

    delete(run, as_alice)
    DoomedFile.objects.update(due_at=Now())
    files.delete_due()
    between = files_with(WORD), Upload.objects.filter(discarded_at=None).count()
    delete(other, as_alice)
    DoomedFile.objects.update(due_at=Now())
    files.delete_due()

    assert (len(between[0]), between[1]) == (2, 1)
    assert (stored(), Upload.objects.count()) == ([], 0)


def test_the_same_bytes_that_are_sent_again_before_they_are_deleted_stay(run, bells, delete, post, as_alice):
    delete(run, as_alice)
    inputs = {"NAME": "Ada", "PHOTO": data_uri(picture(WORD))}
    assert post("/api/zaps/run", {"source": DOOR, "inputs": inputs, "mode": "mock"}, **as_alice).status_code == 202
    DoomedFile.objects.update(due_at=Now())
    files.delete_due()

    assert [name.partition("/")[0] for name in files_with(WORD)] == ["inputs"]


def test_an_upload_of_a_deleted_run_cannot_be_named_again(run, delete, post, as_alice):
    upload_id = Upload.objects.get().upload_id
    delete(run, as_alice)

    answer = post(
        "/api/zaps/run", {"source": DOOR, "inputs": {"NAME": "a", "PHOTO": f"upload:{upload_id}"}}, **as_alice
    )

    assert answer.status_code == 422
