import json

import pytest
from django.contrib.auth import get_user_model

from cli.__main__ import main
from cli.inprocess import local_user
from runs.models import Run
from tests.integration.money import bury, spend

pytestmark = pytest.mark.django_db


def ended(*words):
    return main(list(words))


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch):
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)
    monkeypatch.setattr("runs.dispatch.ring_begin", lambda pk, key, provider: True)


def test_usage_is_a_table_with_its_sum(capsys):
    spend("0.75", owner=local_user())
    spend("0.5", owner=get_user_model().objects.create_user("alice"), recipe="harbour")

    assert ended("usage", "--from", "2026-05-01", "--to", "2026-05-02", "--by", "recipe,owner") == 0

    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == [
        ["owner", "recipe", "attempts", "quoted", "actual", "difference"],
        ["local", "lighthouse", "1", "$0.50", "$0.75", "+$0.25"],
        ["alice", "harbour", "1", "$0.50", "$0.50", "$0.00"],
        ["sum", "2", "$1.00", "$1.25", "+$0.25"],
    ]
    assert "you, in all: $0.00 spent, $0.00 held" in said.err


def test_usage_with_json_is_the_answer_of_the_interface(capsys):
    assert ended("usage", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert (told["by"], told["rows"], told["totals"]["count"]) == (["day"], [], 0)


def test_usage_by_something_that_there_is_not_is_bad_input(capsys):
    assert ended("usage", "--by", "colour") == 2
    assert "by is some of day, owner, recipe, provider, model" in capsys.readouterr().err


def test_dead_letters_are_listed(capsys):
    run = bury()

    assert ended("dead-letters") == 0

    head, line = capsys.readouterr().out.splitlines()
    assert head.split()[:2] == ["run", "step"]
    assert line.split()[:7] == [run.run_id, "clip", "test", "mock", "mock/image.gen", "PROVIDER_UNAVAILABLE", "$0.25"]


def test_no_dead_letters_are_good_news(capsys):
    assert ended("dead-letters") == 0

    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "There are no dead letters.\n")


def test_the_runs_that_are_named_go_on(capsys):
    chosen, other = bury(), bury()

    assert ended("dead-letters", "--redrive", chosen.run_id) == 0

    assert capsys.readouterr().out.split() == [chosen.run_id]
    assert [Run.objects.get(pk=run.pk).status for run in (chosen, other)] == ["running", "failed"]


def test_everything_can_go_on_however_many_there_are(capsys, monkeypatch):
    monkeypatch.setattr("cli.verbs.dead_letters._AT_ONCE", 2)
    runs = [bury() for _ in range(5)]

    assert ended("dead-letters", "--all", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told["redrivenCount"] == 5
    assert {row["runId"] for row in told["results"]} == {run.run_id for run in runs}


def test_a_run_that_cannot_go_on_is_told_and_refused(capsys):
    run = bury()

    assert ended("dead-letters", "--redrive", "run_nowhere", run.run_id) == 4

    said = capsys.readouterr()
    assert said.out.split() == [run.run_id]
    assert "run_nowhere: NOT_FOUND: " in said.err


def test_live_runs_go_on_only_where_somebody_agreed(capsys):
    run = bury(mode="live")

    assert ended("dead-letters", "--all") == 4
    assert "LIVE_NEEDS_CONSENT" in capsys.readouterr().err
    assert Run.objects.get().status == "failed"

    assert ended("dead-letters", "--all", "--yes") == 0
    assert capsys.readouterr().out.split() == [run.run_id]
