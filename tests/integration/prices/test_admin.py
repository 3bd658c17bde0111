"""The admin adds prices and takes them back, and shows how each came about; none is typed over."""

from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from accounts.models import OperatorPrice
from accounts.pricing import book

from .conftest import FLUX, VEO

pytestmark = pytest.mark.django_db
PAGE = "/admin/accounts/operatorprice/"
FIELDS = {
    "provider": "fal", "model": FLUX, "variant": "", "unit": "request", "usd": "0.04", "source": "invoice of May",
    "verified_at": "2026-11-21",
}  # fmt: skip


@pytest.fixture
def root(client):
    user = get_user_model().objects.create_superuser("root", password="x")
    client.force_login(user)
    return user


def test_a_price_is_added_by_whoever_is_logged_in(client, root):
    answer = client.post(f"{PAGE}add/", FIELDS)

    row = OperatorPrice.objects.get()
    assert answer.status_code == 302
    assert (row.usd, row.unit, row.set_by) == (Decimal("0.04"), "request", f"user:{root.pk}")


def test_a_variant_is_kept_in_its_one_spelling(client, root):
    client.post(f"{PAGE}add/", {**FIELDS, "model": VEO, "variant": "resolution=720p, generate_audio=true"})

    assert OperatorPrice.objects.get().variant == "generate_audio=true,resolution=720p"


@pytest.mark.parametrize(
    "change", [{"usd": "0"}, {"usd": ""}, {"unit": ""}, {"provider": "nobody"}, {"variant": "size=9"}, {"source": ""},
               {"verified_at": "2999-01-01"}]
)  # fmt: skip
def test_what_is_no_price_is_said_at_its_field(client, root, change):
    answer = client.post(f"{PAGE}add/", {**FIELDS, **change})

    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not OperatorPrice.objects.exists()


def test_a_price_without_unit_and_dollars_is_taken_back(client, root, put):
    put()

    client.post(f"{PAGE}add/", {**FIELDS, "unit": "", "usd": ""})

    assert book.current().get(("fal", FLUX, "")) is None


def test_selected_prices_are_withdrawn_once(client, root, put):
    rows = [
        put(usd="0.03"),
        put(usd="0.05"),
        put(VEO, "0.3", unit="second", variant="generate_audio=true,resolution=720p"),
    ]

    for _ in range(2):
        client.post(PAGE, {"action": "withdraw", "_selected_action": [row.pk for row in rows]})

    assert [book.current().get((row.provider, row.model, row.variant)) for row in rows] == [None, None, None]
    assert OperatorPrice.objects.filter(usd=None).count() == 2


def test_the_page_of_a_price_shows_its_history_and_what_ships(client, root, put):
    put(usd="0.03", by="user:7")
    row = put(usd="0.05", by="user:8")

    page = client.get(f"{PAGE}{row.pk}/change/").content.decode()

    assert page.index("$0.05 / megapixel, by hand (user:8)") < page.index("$0.03 / megapixel, by hand (user:7)")
    assert "$0.025 / megapixel, 2026-11-21: public price list" in page
    assert f"{PAGE}add/?provider=fal&amp;model=fal-ai%2Fflux%2Fdev" in page
    assert 'name="usd"' not in page


def test_a_price_is_neither_changed_nor_deleted(client, root, put):
    row = put()

    assert client.post(f"{PAGE}{row.pk}/change/", {**FIELDS, "usd": "9"}).status_code == 403
    assert client.post(f"{PAGE}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(PAGE).status_code == 200
    assert OperatorPrice.objects.get().usd == Decimal("0.03")


def test_staff_who_may_not_add_prices_withdraw_none(client, put):
    user = get_user_model().objects.create_user("sam", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_operatorprice"))
    client.force_login(user)
    row = put()

    assert client.get(f"{PAGE}{row.pk}/change/").status_code == 200
    assert client.get(f"{PAGE}add/").status_code == 403
    client.post(PAGE, {"action": "withdraw", "_selected_action": [row.pk]})
    assert OperatorPrice.objects.get() == row
