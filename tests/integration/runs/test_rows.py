"""Rows out of statements that are written out, and into them, are those that Django would have read and stored."""

import pytest
from django.db import connection
from django.forms.models import model_to_dict

from core.ids import new_id
from core.rows import Columns, insertion
from runs.engine import reads
from runs.models import Asset, Attempt, Run, Step
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(bells):
    """Done: a picture, and another one made of it."""
    run = make_run(planned("a"), planned("b", "a", kind="image.edit"))
    bells.answer_all()
    return run


def read(columns, table):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns.of('t')} FROM {table} t ORDER BY t.id")
        return [columns.take(iter(row)) for row in cursor.fetchall()]


@pytest.mark.parametrize("model", [Run, Step, Attempt, Asset])
def test_a_row_is_the_one_that_django_reads(run, model):
    rows = read(Columns(model), model._meta.db_table)

    assert rows
    for row, usual in zip(rows, model.objects.order_by("pk"), strict=True):
        assert row.__dict__ | {"_state": None} == usual.__dict__ | {"_state": None}


def test_what_is_not_named_is_read_when_somebody_wants_it(run):
    (row,) = read(Columns(Run, "run_id"), "runs")

    assert row.get_deferred_fields() >= {"status", "source"}
    assert row.status == "done"


def test_a_name_that_is_no_column_is_refused_at_once():
    with pytest.raises(KeyError, match="colour"):
        Columns(Run, "colour")


def test_an_attempt_comes_with_its_run_and_its_step_in_one_statement(run, django_assert_num_queries):
    first = Attempt.objects.order_by("pk").values_list("pk", flat=True)[0]

    with django_assert_num_queries(1):
        attempt = reads.load(first)
        assert (attempt.run.run_id, attempt.step.step_id) == (run.run_id, "a")
        assert attempt.step.spec["kind"] == "image.gen"


def test_an_attempt_that_is_gone_is_said_to_be():
    with pytest.raises(Attempt.DoesNotExist):
        reads.load(1)


def test_only_what_was_chosen_of_a_step_that_is_done_counts_as_its_result(run):
    assert {name: len(assets) for name, assets in reads.results_of(run.pk, ["a", "b"]).items()} == {"a": 1, "b": 1}

    Step.objects.filter(step_id="a").update(chosen=None)
    Step.objects.filter(step_id="b").update(status="waiting", wait_reason="approval")

    assert reads.results_of(run.pk, ["a", "b"]) == {}


def test_an_insertion_stores_what_saving_stores(run):
    usual = Asset.objects.order_by("pk").last()
    new = []
    for index in (1, 2):
        asset = Asset(**{field.attname: getattr(usual, field.attname) for field in usual._meta.concrete_fields[1:-1]})
        asset.asset_id, asset.index = new_id("asset"), index
        new.append(asset)

    with connection.cursor() as cursor:
        statement, values = insertion(new)
        cursor.execute(statement, values)

    stored = Asset.objects.filter(index__gt=0).order_by("index")
    own = ["id", "created_at"]
    assert [model_to_dict(one, exclude=own) for one in stored] == [model_to_dict(one, exclude=own) for one in new]
    assert all(one.created_at for one in stored)
