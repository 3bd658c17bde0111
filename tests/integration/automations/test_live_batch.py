"""A batch that spends money, with the emulated vendor: its one cap stops it, to the cent."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.db.models import Sum

from accounts.caller import Caller, CallerRefused, Scope
from automations import sheet
from automations.batches import Wish, make_batch, quote, resume_batch
from automations.begin import spent_or_held
from automations.look import look
from automations.models import Batch, Firing
from core.errors import BadInput, Conflict, OverBudget
from runs.models import LedgerEntry, Run
from runs.order import Mode
from tests.integration.automations.conftest import at
from tests.integration.runs.life import go_on
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db(transaction=True)

RECIPE = """---
zap: paid-door
version: 2
description: A door opens.
inputs: {NAME: {type: string}}
budget: {estimate_usd: 0.03, cap_usd: 1}
steps:
  - {id: door, kind: image.gen, provider: fal, model: fal-ai/flux/dev, retry: {max: 1},
     prompt: "A door for {NAME}"}
---
"""


@pytest.fixture
def live(alice, caller, fal):
    """live(cap, rows) → a batch of Alice's that buys a picture a row, and what one row may cost at most."""
    publish(Entry(source=RECIPE, prompts={}, visibility="private"), author=alice)

    def make(cap_usd, count):
        rows = sheet.read("NAME\n" + "".join(f"Ada {n}\n" for n in range(count)), "csv")
        wanted = Wish(slug="paid-door", mode=Mode.LIVE, cap_usd=Decimal(cap_usd))
        return make_batch(wanted, quote(wanted, rows, caller, at=at("10:00")), caller)

    return make


def play(bells, batch):
    """Everybody works and looks until the batch has ended."""
    for minute in range(20):
        look(at=at(f"10:{minute:02}"))
        go_on(bells)
        held = spent_or_held(Firing.objects.filter(batch=batch))
        assert held <= batch.cap_usd
        batch.refresh_from_db()
        if batch.finished_at:
            return
    raise AssertionError("it never ended")


def booked():
    """What the ledger says that was spent."""
    return LedgerEntry.objects.filter(kind="spent").aggregate(usd=Sum("usd"))["usd"]


def outcomes(batch):
    return list(Firing.objects.filter(batch=batch).order_by("number").values_list("status", "error"))


def test_a_live_batch_that_fits_its_cap_costs_what_its_rows_cost(live, bells, fal):
    three = live("1", 3)

    play(bells, three)

    assert outcomes(three) == [("done", "")] * 3
    assert booked() == Decimal("0.075")
    assert spent_or_held(Firing.objects.filter(batch=three)) == Decimal("0.075")


def test_the_one_cap_of_a_live_batch_stops_it_and_not_a_cent_more_is_spent(live, bells, fal):
    # A row costs 0.025 and is held to 0.05, for it may be tried twice. After three, 0.025 are left.
    four = live("0.1", 4)

    play(bells, four)

    assert four.most_usd == Decimal("0.2")
    assert outcomes(four) == [("done", "")] * 3 + [("refused", "ORDER_SPEND_CAP")]
    assert len(fal.bought()) == 3
    assert booked() == Decimal("0.075")
    assert Run.objects.aggregate(usd=Sum("cost_usd"), held=Sum("reserved_usd")) == {"usd": booked(), "held": 0}


def test_a_live_batch_whose_first_attempts_break_its_cap_is_refused_whole(live):
    with pytest.raises(OverBudget):
        live("0.099999", 4)

    assert not Firing.objects.exists()


def test_a_higher_cap_begins_what_the_lower_one_had_refused(live, bells, fal, caller):
    four = live("0.1", 4)
    play(bells, four)

    for _ in range(2):  # pressed twice
        resume_batch(four.batch_id, caller, cap_usd=Decimal("0.2"))
    play(bells, Batch.objects.get())

    assert outcomes(four) == [("done", "")] * 4
    assert booked() == Decimal("0.1")
    assert len(fal.bought()) == 4


def test_a_cap_is_not_lowered_by_resuming_and_what_is_done_stays_so(live, bells, fal, caller):
    one = live("0.05", 1)
    play(bells, one)

    with pytest.raises(BadInput, match="only be raised"):
        resume_batch(one.batch_id, caller, cap_usd=Decimal("0.01"))
    with pytest.raises(Conflict, match="No row"):
        resume_batch(one.batch_id, caller, cap_usd=Decimal(1))
    assert Batch.objects.get().status == "done"


def test_a_row_whose_file_is_gone_stays_refused(live, bells, fal, caller):
    two = live("0.05", 2)
    Firing.objects.filter(batch=two).update(status="refused", error="ORDER_SPEND_CAP")
    Firing.objects.filter(batch=two, number=2).update(inputs={"NAME": f"input:inputs/{'a' * 64}|image/png"})

    resume_batch(two.batch_id, caller, cap_usd=Decimal(1))

    assert outcomes(two) == [("due", ""), ("refused", "ORDER_SPEND_CAP")]


def test_who_may_only_rehearse_and_who_only_operates_give_a_batch_no_more_money(live, caller):
    staff = Caller(user=User.objects.create_user("mo"), principal_id="user:mo", scopes=frozenset(Scope), is_staff=True)
    one = live("0.05", 1)

    for other in (replace(caller, scopes=frozenset({Scope.READ, Scope.RUN})), staff):
        with pytest.raises(CallerRefused):
            resume_batch(one.batch_id, other, cap_usd=Decimal(1))
    assert Batch.objects.get().cap_usd == Decimal("0.05")
