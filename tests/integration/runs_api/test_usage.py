from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from runs.models import Allowance, Budget
from runs.usage import By, Span, read_usage
from tests.integration.money import spend

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2026, 5, 1), date(2026, 5, 31)
TODAY = LAST


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(datetime(2026, 5, 31, 12, tzinfo=UTC), tick=False)


@pytest.fixture
def usage(client):
    """GET /api/usage of May 2026, unless told otherwise."""

    def get(headers, status=200, **query):
        answer = client.get("/api/usage", {"from": FIRST, "to": LAST, **query}, headers=headers)
        assert answer.status_code == status, answer.content
        return answer.json()

    return get


def test_a_caller_whom_we_do_not_know_is_told_nothing(usage):
    assert usage({}, 401)["code"] == "NOT_AUTHENTICATED"


def test_what_was_spent_is_summed_by_day_and_against_the_quote(usage, alice, as_alice):
    spend("0.4", owner=alice, source="reported")
    spend("0.7", owner=alice, source="derived")
    spend("0.5", owner=alice, source="quoted", day=date(2026, 5, 3))

    told = usage(as_alice)

    assert (told["from"], told["to"], told["by"], told["truncated"]) == ("2026-05-01", "2026-05-31", ["day"], False)
    assert told["rows"] == [
        {
            "day": "2026-05-03",
            "count": 1,
            "quoteUsd": 0.5,
            "actualUsd": 0.5,
            "differenceUsd": 0,
            "overshootUsd": 0,
            "sources": {"reported": 0, "derived": 0, "quoted": 0.5},
        },
        {
            "day": "2026-05-01",
            "count": 2,
            "quoteUsd": 1,
            "actualUsd": 1.1,
            "differenceUsd": 0.1,
            "overshootUsd": 0.2,
            "sources": {"reported": 0.4, "derived": 0.7, "quoted": 0},
        },
    ]
    assert (told["totals"]["count"], told["totals"]["actualUsd"], told["totals"]["overshootUsd"]) == (3, 1.6, 0.2)


def test_only_what_was_spent_counts(usage, alice, as_alice):
    for kind in ("reserved", "released", "overshoot"):
        spend("1", owner=alice, kind=kind)

    told = usage(as_alice)

    assert told["rows"] == []
    assert (told["totals"]["count"], told["totals"]["actualUsd"]) == (0, 0)


def test_both_ends_are_included_and_nothing_beyond(usage, alice, as_alice):
    for day in (FIRST - timedelta(days=1), FIRST, LAST, LAST + timedelta(days=1)):
        spend("1", owner=alice, day=day)

    assert [row["day"] for row in usage(as_alice)["rows"]] == ["2026-05-31", "2026-05-01"]


def test_a_caller_sees_nothing_of_others_and_staff_see_all(usage, alice, as_alice, as_bob, as_staff):
    spend("1", owner=alice)
    spend("2")

    assert usage(as_bob, by="owner")["rows"] == []
    assert [(row["owner"], row["actualUsd"]) for row in usage(as_alice, by="owner")["rows"]] == [("alice", 1)]
    assert [(row["owner"], row["userId"], row["actualUsd"]) for row in usage(as_staff, by="owner")["rows"]] == [
        (None, None, 2),
        ("alice", str(alice.pk), 1),
    ]


def test_the_spending_of_an_owner_who_is_gone_still_counts(usage, alice, as_staff):
    spend("1", owner=alice)
    gone = alice.pk
    alice.delete()

    rows = usage(as_staff, by="owner")["rows"]

    assert [(row["owner"], row["userId"]) for row in rows] == [(None, str(gone))]


def test_sums_can_be_told_apart_by_several_things_at_once(usage, alice, as_alice):
    spend("1", owner=alice, recipe="a", model="flux")
    spend("2", owner=alice, recipe="a", model="veo")
    spend("4", owner=alice, recipe="b", model="flux")
    spend("8", owner=alice, recipe="b", model="flux", provider="gmi")

    rows = usage(as_alice, by="model,recipe")["rows"]

    assert [(row["recipe"], row["model"], row["actualUsd"]) for row in rows] == [
        ("b", "flux", 12),
        ("a", "veo", 2),
        ("a", "flux", 1),
    ]
    assert [row["provider"] for row in usage(as_alice, by="provider")["rows"]] == ["gmi", "fal"]
    assert set(rows[0]) & {"day", "owner", "userId", "provider"} == set()


def test_of_a_day_the_dearest_comes_first(usage, alice, as_alice):
    spend("1", owner=alice, recipe="a", day=LAST)
    spend("9", owner=alice, recipe="b")
    spend("2", owner=alice, recipe="c", day=LAST)

    assert [row["recipe"] for row in usage(as_alice, by="day,recipe")["rows"]] == ["c", "a", "b"]


def test_rows_beyond_the_limit_are_left_off_and_still_counted(usage, alice, as_alice):
    for number in range(3):
        spend("1", owner=alice, recipe=f"r{number}")

    told = usage(as_alice, by="recipe", limit=2)

    assert (len(told["rows"]), told["truncated"], told["totals"]["count"]) == (2, True, 3)
    assert usage(as_alice, by="recipe", limit=3)["truncated"] is False


def test_without_words_it_is_the_last_thirty_days_by_day(client, alice, as_alice):
    for days in (0, 29, 30):
        spend("1", owner=alice, day=TODAY - timedelta(days=days))

    told = client.get("/api/usage", headers=as_alice).json()

    assert (told["from"], told["to"]) == (str(TODAY - timedelta(days=29)), str(TODAY))
    assert [row["day"] for row in told["rows"]] == [str(TODAY), str(TODAY - timedelta(days=29))]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"from": "yesterday"}, ["from"]),
        ({"to": "2026-02-30"}, ["to"]),
        ({"to": "20260501"}, ["to"]),
        ({"from": "2026-06-01"}, ["from"]),
        ({"from": "2025-05-30"}, ["from"]),
        ({"to": "0001-01-01"}, ["to"]),
        ({"by": "day,colour"}, ["by"]),
        ({"by": ""}, ["by"]),
        ({"limit": "0"}, ["limit"]),
        ({"limit": "1001"}, ["limit"]),
        ({"from": "x", "to": "y", "by": "z", "limit": "-1"}, ["to", "from", "by", "limit"]),
    ],
)
def test_parameters_that_make_no_sense_are_each_named(usage, as_alice, query, names):
    problem = usage(as_alice, 422, **query)

    assert [(error["code"], error["path"]) for error in problem["errors"]] == [
        ("PARAMETER_INVALID", name) for name in names
    ]


def test_a_whole_leap_year_can_be_asked_for(usage, as_alice):
    assert usage(as_alice, **{"from": "2025-05-31"})["from"] == "2025-05-31"


def test_it_is_one_query_however_much_was_spent(alice, django_assert_num_queries):
    for number in range(20):
        spend("1", owner=alice, recipe=f"r{number}")

    with django_assert_num_queries(1):
        usage = read_usage(Span(first=FIRST, last=LAST), by=list(By), owner_id=None, limit=5)

    assert (len(usage.rows), usage.totals.count) == (5, 20)


def test_the_budgets_are_the_callers_own(usage, alice, as_alice, as_bob, settings):
    settings.ZAP_OWNER_CAP_USD, settings.ZAP_OWNER_DAY_CAP_USD, settings.ZAP_DAY_CAP_USD = None, Decimal(3), Decimal(9)
    Allowance.objects.create(owner=alice, cap_usd=Decimal(20))
    Budget.objects.create(key=f"owner:{alice.pk}", owner=alice, reserved_usd=Decimal("1.5"), spent_usd=Decimal(4))
    Budget.objects.create(key=f"owner:{alice.pk}:{TODAY}", owner=alice, day=TODAY, spent_usd=Decimal(4))
    Budget.objects.create(key=f"day:{TODAY}", day=TODAY, reserved_usd=Decimal(2), spent_usd=Decimal(5))

    assert usage(as_alice)["budgets"] == {
        "owner": {"reservedUsd": 1.5, "spentUsd": 4, "capUsd": 20, "remainingUsd": 14.5},
        "ownerDay": {"reservedUsd": 0, "spentUsd": 4, "capUsd": 3, "remainingUsd": 0},
        "day": {"reservedUsd": 2, "spentUsd": 5, "capUsd": 9, "remainingUsd": 2},
    }
    assert usage(as_bob)["budgets"]["owner"] == {
        "reservedUsd": 0,
        "spentUsd": 0,
        "capUsd": None,
        "remainingUsd": None,
    }


@pytest.mark.parametrize("by", ["day,owner,recipe,provider,model", "owner"])
def test_the_answer_is_what_the_schema_says(client, usage, alice, as_staff, by):
    spend("1", owner=alice)
    spend("2")
    schema = client.get("/api/schema?format=json").json()
    whole = {"$ref": "#/components/schemas/UsageDocument", "components": schema["components"]}

    told = usage(as_staff, by=by)

    assert [error.message for error in Draft202012Validator(whole).iter_errors(told)] == []
    assert set(told) == set(schema["components"]["schemas"]["UsageDocument"]["properties"])
    assert set(told["rows"][0]) <= set(schema["components"]["schemas"]["UsageSumsRow"]["properties"])
