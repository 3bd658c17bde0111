from decimal import Decimal

import pytest

from automations import batches, sheet
from automations.batches import Wish, cancel_batch, make_batch, quote
from automations.look import look
from automations.models import Batch, Firing
from core.errors import BadInput, Conflict
from runs.models import Run
from tests.integration.automations.conftest import at, end

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(recipe, caller):
    """batch(3) → Alice's, with so many rows."""

    def make(count=3, **wish):
        rows = sheet.read("NAME\n" + "".join(f"Ada {n}\n" for n in range(1, count + 1)), "csv")
        wanted = Wish(slug=recipe.slug, cap_usd=Decimal(1), **wish)
        return make_batch(wanted, quote(wanted, rows, caller, at=at("10:00")), caller)

    return make


def statuses(batch):
    return list(Firing.objects.filter(batch=batch).order_by("number").values_list("status", flat=True))


def test_every_row_of_a_batch_becomes_a_run_with_its_inputs(batch):
    three = batch(3)

    look(at=at("10:00"))
    end()
    look(at=at("10:01"))

    assert [run.inputs for run in Run.objects.order_by("pk")] == [{"NAME": f"Ada {n}"} for n in (1, 2, 3)]
    three.refresh_from_db()
    assert (three.status, statuses(three)) == ("done", ["done"] * 3)


def test_rows_begin_little_by_little(batch, monkeypatch):
    monkeypatch.setattr(batches, "IN_FLIGHT", 2)
    five = batch(5)

    look(at=at("10:00"))
    look(at=at("10:00:05"))

    assert statuses(five) == ["started", "started", "due", "due", "due"]
    end()
    look(at=at("10:00:10"))
    assert statuses(five) == ["done", "done", "started", "started", "due"]


def test_every_bad_row_is_named_at_its_place_and_nothing_is_made(recipe, caller):
    rows = sheet.read('NAME,PHOTO\nAda,\n,\nBob,"data:image/png;base64,AAAA"\nEve,ftp://x\n', "csv")
    wanted = Wish(slug=recipe.slug, cap_usd=Decimal(1))

    with pytest.raises(BadInput) as refused:
        quote(wanted, rows, caller, at=at("10:00"))

    assert [(one.code, one.line, one.column, one.path) for one in refused.value.problems] == [
        ("INPUT_MISSING", 3, 1, "rows[2].NAME"),
        ("INPUT_CARRIED", 4, 5, "rows[3].PHOTO"),
        ("INPUT_INVALID", 5, 5, "rows[4].PHOTO"),
    ]
    assert not Batch.objects.exists()


def test_a_batch_that_is_canceled_in_mid_way_begins_nothing_more_and_stops_what_is_at_work(batch, caller, monkeypatch):
    monkeypatch.setattr(batches, "IN_FLIGHT", 2)
    five = batch(5)
    look(at=at("10:00"))
    end(Run.objects.earliest("pk"))
    look(at=at("10:00:05"))

    cancel_batch(five.batch_id, caller, at=at("10:00:06"))
    look(at=at("10:00:10"))
    look(at=at("10:00:15"))

    five.refresh_from_db()
    assert statuses(five) == ["done", *["canceled"] * 4]
    assert list(Run.objects.order_by("pk").values_list("status", flat=True)) == ["done", "canceled", "canceled"]
    assert (five.status, Run.objects.count()) == ("canceled", 3)
    errors = Firing.objects.filter(batch=five).order_by("number").values_list("error", flat=True)
    assert list(errors)[3:] == ["CANCELED_WITH_BATCH"] * 2


def test_a_batch_that_is_done_is_not_canceled(batch, caller):
    one = batch(1)
    look(at=at("10:00"))
    end()
    look(at=at("10:01"))

    with pytest.raises(Conflict):
        cancel_batch(one.batch_id, caller, at=at("10:02"))
