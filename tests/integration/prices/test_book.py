"""The operator's prices go before those that ship, are only ever added, and cost a plan one query."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.caller import Caller
from accounts.models import OperatorPrice
from accounts.pricing import book
from accounts.pricing.book import Entry
from core.errors import BadInput, NotFound
from providers import prices
from runs.order import Mode, Order, draft, place
from zaps.planned import PlannedStep
from zaps.planning.problems import ModelUnpriced, PriceOutdated

from .conftest import DAY, FLUX, VEO

pytestmark = pytest.mark.django_db
KEY = ("fal", FLUX, "")
LOUD = "generate_audio=true,resolution=720p"
RECIPE = f"""\
---
zap: small-one
version: 1
description: A picture.
defaults: {{provider: fal}}
budget: {{estimate_usd: 1, cap_usd: 5}}
steps:
  - id: still
    kind: image.gen
    model: {FLUX}
    prompt: A lighthouse.
---
"""


def plan(user, mode=Mode.LIVE):
    return draft(Order(source=RECIPE, mode=mode), caller(user), today=datetime.now(UTC).date())


def caller(user):
    return Caller(user=user, principal_id=f"user:{user.pk}", is_staff=True)


@pytest.fixture(autouse=True)
def _key(monkeypatch, settings):
    monkeypatch.setenv("FAL_KEY", "a:secret")
    settings.ZAP_OPERATOR_KEYS_FOR = "staff"


def test_the_book_that_ships_counts_until_the_operator_says_otherwise(put):
    assert list(book.current()) == list(prices.load())

    put(FLUX, "0.03")
    put(FLUX, "0.04", unit="request")

    price = book.current().get(KEY)
    assert (price.usd, price.unit, price.source) == (Decimal("0.04"), "request", "by hand")
    assert len(list(book.current())) == len(list(prices.load()))


def test_a_plan_is_made_by_the_operator_s_price_with_one_query_for_all_of_them(put, sam):
    put(FLUX, "0.03")
    for step in range(5):
        put(VEO, f"0.3{step}", unit="second", variant=LOUD)

    with CaptureQueriesContext(connection) as asked:
        made = plan(sam)

    assert made.plan.quote_usd == Decimal("0.03")
    assert len([query for query in asked if '"prices"' in query["sql"]]) == 1


def test_a_price_that_was_taken_back_stops_live_runs_whatever_ships(put, sam):
    put(FLUX, "0.03")
    put(FLUX, None)

    with pytest.raises(ModelUnpriced):
        plan(sam)
    assert book.current().get(KEY) is None

    put(FLUX, "0.02")
    assert plan(sam).plan.quote_usd == Decimal("0.02")


def test_a_price_of_the_operator_s_goes_stale_too(put, sam):
    put(FLUX, "0.03", on=date(2026, 1, 1))

    with pytest.raises(PriceOutdated):
        plan(sam)
    assert [warning.code for warning in plan(sam, Mode.PLAN).plan.warnings] == ["PRICE_STALE"]


def test_a_run_keeps_the_price_that_it_was_quoted_by(put, sam):
    put(FLUX, "0.03")
    run = place(plan(sam), caller(sam))

    put(FLUX, "0.09")

    step = PlannedStep.from_json(run.steps.get().spec)
    assert (step.quote_usd, step.price.usd, step.price.source) == (Decimal("0.03"), Decimal("0.03"), "by hand")


def test_every_price_that_was_ever_set_is_kept(put):
    for usd in ("0.03", "0.05", None):
        put(FLUX, usd, by="user:7")
    put(VEO, "0.3", unit="second", variant=LOUD)

    assert [(row.usd, row.unit, row.set_by) for row in book.history(KEY)] == [
        (None, "", "user:7"),
        (Decimal("0.05"), "megapixel", "user:7"),
        (Decimal("0.03"), "megapixel", "user:7"),
    ]


@pytest.mark.parametrize("change", ["UPDATE prices SET usd = 1", "DELETE FROM prices"])
def test_the_database_changes_no_price(put, change):
    put(FLUX, "0.03")

    with pytest.raises(IntegrityError, match="never change"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(change)

    assert OperatorPrice.objects.get().usd == Decimal("0.03")


@pytest.mark.parametrize(
    "fields", [{"usd": 0}, {"usd": -1}, {"usd": None}, {"unit": ""}, {"unit": "gallon"}, {"unit": "", "usd": 1}]
)
def test_the_database_takes_no_half_a_price(fields):
    row = {"provider": "fal", "model": "m", "unit": "second", "usd": 1, "source": "s", "verified_at": DAY}

    with pytest.raises(IntegrityError), transaction.atomic():
        OperatorPrice.objects.create(**{**row, **fields})


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"provider": "nobody"}, ["provider"]),
        ({"provider": "mock"}, ["provider"]),
        ({"model": ""}, ["model"]),
        ({"variant": "large"}, ["variant"]),
        ({"variant": "resolution=8k"}, ["variant"]),
        ({"model": VEO, "variant": ""}, ["variant"]),
        ({"unit": "gallon"}, ["unit"]),
        ({"unit": ""}, ["unit"]),
        ({"usd": Decimal(0)}, ["usd"]),
        ({"usd": Decimal(-1)}, ["usd"]),
        ({"usd": Decimal("NaN")}, ["usd"]),
        ({"usd": Decimal("Infinity")}, ["usd"]),
        ({"usd": Decimal("0.0000001")}, ["usd"]),
        ({"usd": Decimal(10_001)}, ["usd"]),
        ({"source": " "}, ["source"]),
        ({"source": "x" * 201}, ["source"]),
        ({"verified_at": date(2026, 11, 22)}, ["verifiedAt"]),
        ({"unit": "gallon", "source": ""}, ["source", "unit"]),
    ],
)
def test_what_is_no_price_is_refused_by_the_field_s_name(fields, paths):
    good = {
        "provider": "fal", "model": FLUX, "unit": "second", "usd": Decimal(1), "source": "s", "verified_at": DAY,
    }  # fmt: skip

    with pytest.raises(BadInput) as caught:
        book.put(Entry(**{**good, **fields}), by="test", today=DAY)

    assert sorted(problem.path for problem in caught.value.problems) == paths
    assert not OperatorPrice.objects.exists()


def test_a_price_is_set_for_a_variant_however_it_is_spelled(put):
    put(VEO, "0.3", unit="second", variant=" resolution=720p, generate_audio=true")

    assert book.current().get(("fal", VEO, LOUD)).usd == Decimal("0.3")


def test_what_has_no_price_cannot_be_taken_back(put):
    with pytest.raises(NotFound):
        put("fal-ai/nobody", None)
