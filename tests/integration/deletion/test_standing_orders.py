"""What an order names outlives the runs that used it, and goes with the last who names it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models.functions import Now
from django.test import Client

from automations.leaving import remove
from automations.look import look
from automations.models import Batch, Firing, Schedule, Trigger
from runs.deletion import files
from runs.models import DoomedFile, Run, Upload
from tests.integration.deletion.traces import data_uri, picture, stored, tables_with
from tests.integration.recipes import DOOR, door
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db(transaction=True)

WORD = "quetzalcoatl"


@pytest.fixture(autouse=True)
def _nobody_looks(monkeypatch):
    monkeypatch.setattr("automations.dispatch.ring", lambda: None)


@pytest.fixture
def upload(as_alice):
    """A picture that Alice sent, as an input names it."""
    file = SimpleUploadedFile("a.png", picture(WORD), content_type="image/png")
    return "upload:" + Client().post("/api/uploads", {"file": file}, headers=as_alice).json()["uploadId"]


@pytest.fixture
def made(post, as_alice, alice):
    """made("/api/schedules", …) → what making an order for the door answered."""
    publish(Entry(source=door(), prompts={}, visibility="private"), author=alice)

    def make(path, **body):
        answer = post(path, {"slug": "blue-door", **body}, **as_alice)
        assert answer.status_code == 201, answer.content
        return answer.json()

    return make


@pytest.fixture
def batch(made, upload):
    """A batch of two rows with the same picture, whose names are the word."""
    rows = f"NAME,PHOTO\n{WORD} 1,{upload}\n{WORD} 2,{upload}\n"
    return made("/api/batches", format="csv", rows=rows, maxUsd=0)["batchId"]


@pytest.fixture
def run_with(post, bells, as_alice):
    """A run of Alice's with that picture, which has ended."""

    def make(photo):
        order = {"source": DOOR, "inputs": {"NAME": "Ada", "PHOTO": photo}, "mode": "mock"}
        assert post("/api/zaps/run", order, **as_alice).status_code == 202
        bells.answer_all()
        return Run.objects.latest("pk")

    return make


def clean_up():
    """All that is doomed is due."""
    DoomedFile.objects.update(due_at=Now())
    files.delete_due()


def given():
    """The files of inputs that are left."""
    return [name for name in stored() if not name.startswith("runs/")]


@pytest.mark.parametrize("folder", ["uploads", "inputs"])
@pytest.mark.parametrize("kind", ["schedules", "triggers"])
def test_a_file_of_an_order_outlives_its_runs_and_goes_with_the_order(
    made, run_with, delete, client, as_alice, request, kind, folder
):
    photo = request.getfixturevalue("upload") if folder == "uploads" else data_uri(picture(WORD))
    beat = {"everyS": 60} if kind == "schedules" else {}
    order = made(f"/api/{kind}", inputs={"NAME": "Ada", "PHOTO": photo}, **beat)
    delete(run_with(photo), as_alice)
    clean_up()
    kept = given()

    client.delete(f"/api/{kind}/{order.get('scheduleId') or order['triggerId']}", headers=as_alice)
    clean_up()

    assert [name.partition("/")[0] for name in kept] == [folder]
    assert given() == []


def test_an_upload_that_a_schedule_names_can_still_be_run_after_a_run_with_it_was_deleted(
    made, upload, run_with, delete, as_alice
):
    made("/api/schedules", inputs={"NAME": "Ada", "PHOTO": upload}, everyS=60)
    delete(run_with(upload), as_alice)
    clean_up()
    Schedule.objects.update(next_at=Now())

    look()

    assert list(Firing.objects.values_list("status", "error")) == [("started", "")]


def test_a_schedule_that_is_given_another_picture_lets_the_old_one_go(made, upload, client, as_alice):
    order = made("/api/schedules", inputs={"NAME": "Ada", "PHOTO": upload}, everyS=60)
    said = {"inputs": {"NAME": "Ada", "PHOTO": data_uri(picture("another"))}}

    changed = client.patch(
        f"/api/schedules/{order['scheduleId']}", said, content_type="application/json", headers=as_alice
    )
    clean_up()

    assert changed.status_code == 200
    assert [name.partition("/")[0] for name in given()] == ["inputs"]


def test_a_change_that_keeps_the_picture_keeps_its_file(made, upload, client, as_alice):
    order = made("/api/schedules", inputs={"NAME": "Ada", "PHOTO": upload}, everyS=60)

    client.patch(
        f"/api/schedules/{order['scheduleId']}", {"everyS": 90}, content_type="application/json", headers=as_alice
    )
    clean_up()

    assert [name.partition("/")[0] for name in given()] == ["uploads"]


def test_the_file_of_a_waiting_row_outlives_the_run_of_another(batch, bells, delete, as_alice, monkeypatch):
    monkeypatch.setattr("automations.batches.IN_FLIGHT", 1)
    look()
    bells.answer_all()
    delete(Run.objects.get(), as_alice)
    clean_up()
    between = len(given())

    look()
    bells.answer_all()
    delete(Run.objects.latest("pk"), as_alice)
    clean_up()

    assert (between, Run.objects.count(), given()) == (1, 2, [])


def test_the_word_in_the_rows_of_a_batch_is_nowhere_once_their_runs_are_deleted(batch, bells, delete, as_alice):
    look()
    bells.answer_all()
    assert {"firings", "runs"} <= set(tables_with(WORD))

    for run in Run.objects.all():
        delete(run, as_alice)
    clean_up()

    assert tables_with(WORD) == []
    assert (given(), Upload.objects.count()) == ([], 0)


def test_rows_that_are_canceled_before_their_turn_let_their_files_go(batch, post, as_alice):
    assert post(f"/api/batches/{batch}/cancel", **as_alice).status_code == 200
    clean_up()

    assert given() == []


def test_a_row_that_is_refused_lets_its_file_go(batch, alice):
    alice.is_active = False
    alice.save()

    look()
    clean_up()

    assert set(Firing.objects.values_list("status", "error")) == {("refused", "RIGHT_LOST")}
    assert given() == []


def test_the_files_of_orders_go_with_the_account(made, batch, alice):
    inline = {"NAME": "Ada", "PHOTO": data_uri(picture("inline"))}
    made("/api/schedules", inputs=inline, everyS=60)
    made("/api/triggers", inputs=inline)

    assert remove(alice.pk) == []
    clean_up()

    assert given() == []
    assert not any(kind.objects.exists() for kind in (Schedule, Trigger, Batch, Firing))
