import json

import pytest

from automations.models import Batch, Schedule
from cli.__main__ import main
from cli.inprocess import local_user
from tests.integration.recipes import door
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _recipe(monkeypatch):
    monkeypatch.setattr("automations.dispatch.ring", lambda: None)
    publish(Entry(source=door(), prompts={}), author=local_user())


def test_a_schedule_is_added_paused_and_deleted(capsys):
    assert main(["schedule", "add", "blue-door", "--cron", "0 7 * * *", "--input", "NAME=Ada", "--json"]) == 0
    schedule_id = json.loads(capsys.readouterr().out)["scheduleId"]

    assert main(["schedule", "pause", schedule_id]) == 0
    assert "Its owner paused it" in capsys.readouterr().err
    assert main(["schedule", "show", schedule_id]) == 0
    assert main(["schedule", "delete", schedule_id]) == 0
    assert not Schedule.objects.exists()


def test_a_batch_is_begun_from_a_file(tmp_path, capsys):
    (tmp_path / "names.csv").write_text("NAME\nAda\nBob\n")

    assert main(["batch", str(tmp_path / "names.csv"), "--recipe", "blue-door", "--no-wait"]) == 0

    assert capsys.readouterr().out.strip() == Batch.objects.get().batch_id
    assert Batch.objects.get().row_count == 2


def test_a_bad_row_is_told_as_editors_can_jump_to_it(tmp_path, capsys):
    file = tmp_path / "names.csv"
    file.write_text("NAME,PHOTO\nAda,ftp://x\n")

    assert main(["batch", str(file), "--recipe", "blue-door"]) == 2
    assert f"{file}:2:5: INPUT_INVALID Row 1: PHOTO" in capsys.readouterr().err
