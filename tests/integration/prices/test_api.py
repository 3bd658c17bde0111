"""/api/prices: staff look at prices, set them and ask the vendors; nobody else does."""

import base64
import json
from decimal import Decimal

import pytest

from accounts.caller import Scope
from accounts.models import OperatorPrice
from accounts.pricing import book
from providers import prices

from .conftest import FLUX, VEO

pytestmark = pytest.mark.django_db
BODY = {"provider": "fal", "model": FLUX, "unit": "request", "usd": 0.04, "source": "invoice of May"}
ALL = [("get", "/api/prices", None), ("get", "/api/prices/history", None), ("post", "/api/prices", BODY),
       ("post", "/api/prices/sync", {"dryRun": True})]  # fmt: skip


def pages_of(api, user, query="", between=lambda: None):
    """The pages of the list, as keys; `between` is called after the first."""
    pages, cursor = [], ""
    while cursor is not None:
        page = api(user, "get", f"/api/prices?{query}&cursor={cursor}").json()
        pages.append([(row["provider"], row["model"], row["variant"]) for row in page["prices"]])
        if cursor == "":
            between()
        cursor = page["nextCursor"]
    return pages


def test_a_price_is_set_listed_and_remembered(api, sam):
    made = api(sam, "post", "/api/prices", BODY).json()

    rows = api(sam, "get", "/api/prices?provider=fal&limit=100").json()["prices"]
    history = api(sam, "get", f"/api/prices/history?provider=fal&model={FLUX}").json()["history"]
    (row,) = [row for row in rows if row["model"] == FLUX]
    assert {row["provider"] for row in rows} == {"fal"}
    assert (row["usd"], row["unit"], row["setBy"], row["ageDays"], row["stale"]) == (
        0.04, "request", "operator", 0, False,
    )  # fmt: skip
    assert history == [made]
    assert made["setBy"].startswith("token:zap_")
    assert (made["usd"], made["source"], made["variant"]) == (0.04, "invoice of May", "")


def test_the_whole_book_is_listed_with_its_age(api, sam):
    document = api(sam, "get", "/api/prices?limit=100").json()
    rows = document["prices"]

    assert document["nextCursor"] is None
    assert len(rows) == len(list(prices.load()))
    assert {row["setBy"] for row in rows} == {"book"}
    (row,) = [row for row in rows if row["variant"] == "generate_audio=false,resolution=720p" and row["model"] == VEO]
    assert (row["usd"], row["unit"], row["verifiedAt"]) == (0.2, "second", "2026-11-21")
    assert "without sound" in row["source"]


def test_the_book_is_read_in_pages_by_provider_model_and_variant(api, sam):
    pages = pages_of(api, sam, "limit=7")

    assert [len(page) for page in pages[:-1]] == [7] * (len(pages) - 1)
    assert 0 < len(pages[-1]) <= 7
    assert [key for page in pages for key in page] == sorted(price.key for price in prices.load())
    assert len(api(sam, "get", "/api/prices").json()["prices"]) == 20


def test_prices_that_come_and_go_between_pages_repeat_and_hide_no_other(api, sam, put):
    before = sorted(price.key for price in prices.load() if price.provider == "fal")
    last_shown, next_one = before[2], before[3]

    def change():
        put("aaa")  # stands on the page that was read
        put("fal-ai/zzz")
        for _, model, variant in (last_shown, next_one):
            put(model, None, variant=variant)

    pages = pages_of(api, sam, "provider=fal&limit=3", between=change)

    found = [key for page in pages for key in page]
    assert found == [*before[:3], *sorted([*before[4:], ("fal", "fal-ai/zzz", "")])]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("cursor=x", "cursor"),
        (f"cursor={base64.urlsafe_b64encode(json.dumps(['fal', 'x']).encode()).decode()}", "cursor"),
        (f"cursor={base64.urlsafe_b64encode(json.dumps(['fal', 'x', 1]).encode()).decode()}", "cursor"),
        (f"cursor={base64.urlsafe_b64encode(json.dumps('falx').encode()).decode()}", "cursor"),
    ],
)
def test_a_page_that_there_is_not_is_refused(api, sam, query, path):
    answer = api(sam, "get", f"/api/prices?{query}")

    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_a_price_is_taken_back(api, sam):
    made = api(sam, "post", "/api/prices", {**BODY, "usd": None, "unit": ""}).json()

    assert (made["usd"], made["unit"]) == (None, "")
    assert book.current().get(("fal", FLUX, "")) is None
    assert api(sam, "post", "/api/prices", {**BODY, "usd": None}).status_code == 404


def test_a_price_may_have_been_read_some_days_ago(api, sam):
    api(sam, "post", "/api/prices", {**BODY, "verifiedAt": "2026-01-01"})

    (row,) = [row for row in api(sam, "get", "/api/prices?limit=100").json()["prices"] if row["model"] == FLUX]
    assert (row["verifiedAt"], row["stale"]) == ("2026-01-01", True)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"usd": 0}, "usd"),
        ({"usd": -1}, "usd"),
        ({"usd": "0.04"}, "usd"),
        ({"unit": "gallon"}, "unit"),
        ({"source": ""}, "source"),
        ({"variant": "resolution=720p"}, "variant"),
        ({"verifiedAt": "2999-01-01"}, "verifiedAt"),
        ({"verifiedAt": "yesterday"}, "verifiedAt"),
        ({"cost": 1}, "cost"),
    ],
)
def test_what_is_no_price_is_refused_by_its_field(api, sam, change, path):
    answer = api(sam, "post", "/api/prices", {**BODY, **change})

    assert answer.status_code in (400, 422)
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert not OperatorPrice.objects.exists()


@pytest.mark.parametrize(("method", "path", "body"), ALL)
def test_only_staff_may(api, django_user_model, method, path, body):
    alice = django_user_model.objects.create_user("alice")

    assert api(None, method, path, body).status_code == 401
    assert api(alice, method, path, body).status_code == 403
    assert not OperatorPrice.objects.exists()


@pytest.mark.parametrize(("method", "path", "body"), ALL[2:])
def test_a_token_changes_prices_only_where_it_was_made_for_that(api, sam, method, path, body):
    scopes = [scope for scope in Scope if scope is not Scope.PRICES]

    assert api(sam, method, path, body, scopes=scopes).status_code == 403


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("provider=fal&model=x&variant=large", "variant"),
        ("provider=fal&model=x&variant=a%3D%00", "variant"),
        ("provider=fal&model=%00", "model"),
        ("provider=%00&model=x", "provider"),
        (f"provider=fal&model={'x' * 201}", "model"),
    ],
)
def test_what_names_no_price_has_no_history(api, sam, query, path):
    answer = api(sam, "get", f"/api/prices/history?{query}")

    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_what_nobody_set_has_an_empty_history(api, sam):
    assert api(sam, "get", "/api/prices/history?provider=fal&model=x").json() == {"history": []}
    assert api(sam, "get", "/api/prices?provider=%00").json() == {"prices": [], "nextCursor": None}


def test_vendors_are_asked_and_what_came_of_it_is_told(api, sam, emulator):
    listed = {"prices": [
        {"endpoint_id": FLUX, "unit_price": 0.05, "unit": "megapixels", "currency": "USD"},
        {"endpoint_id": "fal-ai/flux/schnell", "unit_price": 3, "unit": "megapixels", "currency": "USD"},
    ]}  # fmt: skip
    emulator.desks["fal"].plan.add({"on": "prices", "do": "status", "status": 200, "body": listed})

    document = api(sam, "post", "/api/prices/sync", {"providers": ["fal"]}).json()

    (result,) = document["results"]
    lines = {line["model"]: line for line in result["prices"]}
    assert (document["dryRun"], result["provider"], result["code"]) == (False, "fal", None)
    assert lines[FLUX] == {
        "model": FLUX, "variant": "", "unit": "megapixel", "oldUsd": 0.025, "newUsd": 0.05,
        "taken": True, "changed": True, "code": None, "message": None,
    }  # fmt: skip
    assert (lines["fal-ai/flux/schnell"]["taken"], lines["fal-ai/flux/schnell"]["code"]) == (False, "PRICE_JUMPED")
    assert "factor of 5" in lines["fal-ai/flux/schnell"]["message"]
    assert book.current().get(("fal", FLUX, "")).usd == Decimal("0.05")


def test_everybody_who_has_a_list_is_asked_unless_told_otherwise(api, sam, emulator):
    document = api(sam, "post", "/api/prices/sync", {"dryRun": True}).json()

    assert [result["provider"] for result in document["results"]] == ["fal", "openrouter"]
    assert not OperatorPrice.objects.exists()


def test_a_vendor_without_a_list_cannot_be_asked(api, sam):
    answer = api(sam, "post", "/api/prices/sync", {"providers": ["replicate"]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "PRICES_NOT_TOLD"
