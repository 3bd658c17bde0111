from decimal import Decimal

import pytest

from automations.begin import NoRoom, Room, spent_or_held
from automations.models import Firing, Trigger
from tests.factories import make_run, planned
from tests.integration.automations.conftest import at, end

pytestmark = pytest.mark.django_db


@pytest.fixture
def firings(alice):
    """firings("1", …) → firings of one order whose live runs may cost so much each."""
    order = Trigger.objects.create(owner=alice, made_by="user:1", trigger_id="trigger_1", slug="blue-door", mode="mock")

    def make(*caps, began="10:00"):
        for cap in caps:
            run = make_run(planned("door"), owner=alice, mode="live", cap=cap)
            Firing.objects.create(
                trigger=order, run=run, run_cap_usd=Decimal(cap), status="started", begun_at=at(began)
            )
        return Firing.objects.filter(trigger=order)

    return make


def test_a_run_at_work_counts_with_its_cap_and_one_that_ended_with_its_cost(firings):
    rows = firings("1", "2")
    end(rows.order_by("pk")[0].run, cost="0.25")

    assert spent_or_held(rows) == Decimal("2.25")


def test_what_would_break_the_cap_is_refused_and_what_just_fits_is_not(firings):
    room = Room(firings("1", "2"), Decimal("3.5"))

    room.require(Decimal("0.5"))
    with pytest.raises(NoRoom):
        room.require(Decimal("0.500001"))


def test_the_runs_of_yesterday_do_not_count_for_today(firings):
    rows = firings("3")
    rows.update(begun_at=at("00:00").replace(day=3))
    firings("1")

    Room.of_day(rows, Decimal(2), at=at("12:00")).require(Decimal(1))
    with pytest.raises(NoRoom):
        Room.of_day(rows, Decimal(2), at=at("12:00")).require(Decimal("1.01"))


def test_a_run_that_nobody_can_look_up_any_more_counts_with_its_cap(firings):
    rows = firings("1")
    rows.update(run=None)

    assert spent_or_held(rows) == Decimal(1)
