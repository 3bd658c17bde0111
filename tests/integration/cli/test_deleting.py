"""`zap delete` and `zap account`, on this machine and against a server."""

import json
import zipfile

import pytest
from django.contrib.auth.models import User

from accounts.models import Departure
from accounts.tokens import create_token
from cli.__main__ import main
from runs.models import Run
from tests.integration.admin.rows import make_run
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _apart(settings, tmp_path, monkeypatch):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    monkeypatch.setattr("runs.dispatch.ring_erase", lambda: True)


@pytest.fixture(params=["here", "elsewhere"])
def owner(request, monkeypatch):
    """Whoever types: the user of this machine, or one with a token for a server."""
    if request.param == "here":
        return User.objects.create(username="local", is_staff=True, password="!")
    alice = make_user("alice")
    monkeypatch.setenv("ZAP_API_URL", request.getfixturevalue("live_server").url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(alice, "laptop")[1])
    return alice


def test_a_run_is_deleted(owner, capsys):
    run = make_run(owner=owner, status="done", clips=1)

    assert main(["delete", run.run_id, "--yes", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == {"deleted": run.run_id}
    assert Run.objects.get().deleted_at is not None


def test_nothing_is_deleted_where_nobody_agreed(owner, capsys):
    run = make_run(owner=owner, status="done", clips=1)

    codes = main(["delete", run.run_id]), main(["account", "delete", owner.username])

    assert codes == (4, 4)
    assert Run.objects.get().deleted_at is None
    assert not Departure.objects.exists()
    assert "Say --yes" in capsys.readouterr().err


def test_a_run_that_has_not_ended_is_refused(owner):
    run = make_run(owner=owner, clips=1)

    assert main(["delete", run.run_id, "--yes"]) == 4


def test_an_account_is_taken_out_and_deleted(owner, tmp_path, capsys):
    make_run(owner=owner, status="done", clips=1)
    file = tmp_path / "everything.zip"

    assert main(["account", "export", str(file)]) == 0
    assert "Cape Wrath" in zipfile.ZipFile(file).read("runs.jsonl").decode()
    assert main(["account", "export", str(file)]) == 2  # it is not written over

    capsys.readouterr()
    assert main(["account", "delete", owner.username, "--yes"]) == 0
    assert "/api/account/departure?token=" in capsys.readouterr().out
    assert Departure.objects.get().user == owner
