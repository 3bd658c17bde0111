"""The doors to compiling: the HTTP interface and the command line."""

import json

import pytest

from cli.__main__ import main
from runs.models import Run
from tests.integration.learning.rows import end, order_run
from tests.integration.people import bearer, make_user
from tests.integration.recipes import DOOR
from zaps.models import Zap
from zaps.recipe import parse

pytestmark = pytest.mark.django_db

PROMPTS = {"prompts/door.md": "A blue door for {NAME}"}
FILED = DOOR.replace('"A blue door for {NAME}"', "prompts/door.md")


@pytest.fixture
def run(alice):
    return end(order_run(FILED, alice, prompts=PROMPTS, mode="mock", inputs={"NAME": "Ada"}))


@pytest.fixture
def compile_at(client):
    def send(run, user=None, query="", scopes=("read", "publish")):
        headers = bearer(user, scopes) if user else {}
        return client.post(f"/api/runs/{run.run_id}/compile{query}", headers=headers)

    return send


def test_the_answer_is_a_whole_recipe_and_nothing_is_saved(run, alice, compile_at):
    answer = compile_at(run, alice, scopes=("read",))

    document = answer.json()
    assert answer.status_code == 200
    assert parse(document["source"], document["prompts"]).slug == document["slug"] == "blue-door-2"
    assert document["compiledFromRunId"] == run.run_id
    assert document["lineage"] == {"sourceZap": "blue-door", "sourceVersion": 0}
    assert (document["estimateUsd"], document["capUsd"], document["costUsd"], document["attempts"]) == (0, 5, 0, 3)
    assert document["zap"] is None
    assert not Zap.objects.exists()


def test_the_draft_that_is_saved_can_be_found(run, alice, compile_at, client, check):
    first, again = compile_at(run, alice, "?save=true"), compile_at(run, alice, "?save=true")

    check("CompiledDocument", first.json())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["zap"]["status"] == "draft"
    found = client.get("/api/zaps/blue-door-2", headers=bearer(alice)).json()
    assert (found["source"], found["compiledFromRunId"]) == (first.json()["source"], run.run_id)


def test_a_run_that_is_not_done_is_a_conflict(run, alice, compile_at):
    Run.objects.filter(pk=run.pk).update(status="failed")

    answer = compile_at(run, alice)

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["runStatus"]) == ("RUN_NOT_DONE", "failed")


def test_a_run_of_somebody_else_looks_as_if_it_did_not_exist(run, compile_at):
    assert compile_at(run, make_user("bob")).status_code == 404


def test_staff_save_it_as_their_own(run, compile_at):
    sam = make_user("sam", staff=True)

    assert compile_at(run, sam, "?save=true").status_code == 201

    assert Zap.objects.get().author == sam


@pytest.mark.parametrize(
    ("query", "scopes", "status"), [("?save=true", ("read",), 403), ("", ("run",), 403), ("?save=1", ("read",), 422)]
)
def test_what_may_not_be_is_refused(run, alice, compile_at, query, scopes, status):
    assert compile_at(run, alice, query, scopes).status_code == status

    assert not Zap.objects.exists()


def test_who_is_not_known_saves_nothing(run, compile_at, settings):
    settings.ZAP_OPEN_MODES = ("plan", "mock")
    Run.objects.filter(pk=run.pk).update(owner=None)

    assert compile_at(run).status_code == 200
    assert compile_at(run, query="?save=true").status_code == 401


def test_the_command_prints_the_recipe(run, capsys):
    assert main(["compile", run.run_id]) == 0

    said = capsys.readouterr()
    assert parse(said.out, PROMPTS).slug == "blue-door-2"
    assert said.err == "blue-door-2: $0.00 estimated, the cap is $5.00; the run cost $0.00 in 3 attempts.\n"


def test_the_command_writes_a_folder_that_is_a_recipe(run, tmp_path, capsys):
    assert main(["compile", run.run_id, "--out", str(tmp_path), "--json"]) == 0

    assert (tmp_path / "Zap.md").read_text() == json.loads(capsys.readouterr().out)["source"]
    assert main(["validate", str(tmp_path)]) == 0


def test_the_command_overwrites_nothing(run, tmp_path, capsys):
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "door.md").write_text("mine")

    assert main(["compile", run.run_id, "--out", str(tmp_path / "Zap.md"), "--json"]) == 2

    assert json.loads(capsys.readouterr().out)["code"] == "FILE_EXISTS"
    assert not (tmp_path / "Zap.md").exists()
    assert (tmp_path / "prompts" / "door.md").read_text() == "mine"


def test_the_command_saves_and_says_no_as_the_interface_does(run, capsys):
    assert main(["compile", run.run_id, "--save", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["zap"]["slug"] == "blue-door-2"

    Run.objects.filter(pk=run.pk).update(status="canceled")

    assert main(["compile", run.run_id]) == 4
    assert main(["compile", "run_0"]) == 2
