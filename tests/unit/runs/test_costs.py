"""What a job is booked at, by what its provider said and what it was quoted by."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from providers.contract import Billed, Cost, JobState, Snapshot
from providers.prices import Price
from runs.engine.ask import cost_of
from runs.models import Attempt, Step
from zaps.planned import PlannedStep, Retrying

PRICE = Price(
    provider="fal", model="clip", unit="second", usd=Decimal("0.1"), source="by hand", verified_at=date(2026, 1, 1)
)
OTHER = replace(PRICE, model="other", usd=Decimal("0.2"))
UNITS = Billed(units=Decimal("5.01"))


def booked(cost, *, state=JobState.DONE, price=PRICE, model="clip"):
    planned = PlannedStep(
        step_id="s", recipe_step="s", position=0, kind="video.gen", provider="fal", model="clip", price=price,
        retry=Retrying(fallback_provider="fal", fallback_model="other", fallback_price=OTHER),
    )  # fmt: skip
    attempt = Attempt(provider="fal", model=model, quote_usd=Decimal("0.5"), step=Step(spec=planned.to_json()))
    snapshot = Snapshot(state=state, cost=cost, error_code="X" if state is JobState.FAILED else None)
    made = cost_of(snapshot, attempt)
    return str(made.usd.normalize()), made.source


@pytest.mark.parametrize(
    ("cost", "state", "expected"),
    [
        (Cost(usd=Decimal("0.37"), source="reported"), JobState.DONE, ("0.37", "reported")),
        (None, JobState.DONE, ("0.5", "quoted")),
        (None, JobState.FAILED, ("0", "none")),
        (None, JobState.CANCELED, ("0", "none")),
        (Billed(), JobState.DONE, ("0.5", "quoted")),
        (Billed(), JobState.CANCELED, ("0.5", "quoted")),
        (Billed(), JobState.FAILED, ("0.5", "quoted")),
        (UNITS, JobState.DONE, ("0.501", "derived")),
        (UNITS, JobState.FAILED, ("0.501", "derived")),
    ],
)
def test_a_job_costs_what_its_provider_says_else_what_it_was_quoted_at(cost, state, expected):
    assert booked(cost, state=state) == expected


def test_what_a_fallback_made_is_booked_at_the_fallback_s_price():
    assert booked(UNITS, model="other") == ("1.002", "derived")


@pytest.mark.parametrize("price", [None, replace(PRICE, unit="request"), replace(PRICE, variant="resolution=720p")])
def test_units_that_the_price_may_not_be_for_are_not_multiplied_by_it(price):
    assert booked(UNITS, price=price) == ("0.5", "quoted")
