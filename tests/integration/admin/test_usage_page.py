"""The operators' page of what was spent."""

from datetime import UTC, date, datetime
from xml.etree import ElementTree

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.money import spend

pytestmark = pytest.mark.django_db
TODAY = date(2026, 5, 31)
CHART = '<svg class="zap-chart"'


@pytest.fixture
def usage_page(client, time_machine):
    """The page of usage, on the last of May 2026."""
    time_machine.move_to(datetime(2026, 5, 31, 12, tzinfo=UTC), tick=False)
    client.force_login(get_user_model().objects.create_superuser("op", password="x"))

    def get(**query):
        answer = client.get("/admin/runs/spending/", query)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def chart_of(page):
    """The chart, as the elements that it is made of."""
    start = page.index(CHART)
    return ElementTree.fromstring(page[start : page.index("</svg>", start) + 6])


def test_the_usage_page_shows_every_sum_and_a_bar_for_every_day(usage_page):
    alice = get_user_model().objects.create_user("alice")
    spend("2.5", quote="2", day=TODAY, owner=alice)
    spend("1.25", quote="2", day=date(2026, 5, 2), recipe="harbour", model="fal-ai/veo3")

    page = usage_page()

    for word in ("$3.75", "lighthouse", "harbour", "fal-ai/veo3", "alice", "nobody", "−$0.25", "+$0.50"):
        assert word in page
    assert 'href="/static/admin/zaps.css"' in page
    days = chart_of(page).findall("g")
    assert [day.find("title").text for day in (days[0], days[-1])] == [
        "2026-05-02: $1.25, quoted $2.00",
        "2026-05-31: $2.50, quoted $2.00",
    ]
    assert len(days) == 30
    bars = [day.find("rect[@class='zap-bar']") for day in days]
    assert [(bar.get("y"), bar.get("height")) for bar in bars if bar is not None] == [
        ("50.0", "50.0"),
        ("0.0", "100.0"),
    ]
    assert [day.find("path").get("d") for day in (days[0], days[-1])] == ["M0 20.0h10", "M290 20.0h10"]


def test_the_usage_page_of_nothing_says_so(usage_page):
    page = usage_page()

    assert "Nothing was spent." in page
    assert CHART not in page


def test_the_usage_page_shows_the_days_that_are_asked_for(usage_page):
    spend("1", day=date(2026, 3, 1))

    assert len(chart_of(usage_page(**{"from": "2026-03-01", "to": "2026-03-07"})).findall("g")) == 7
    assert "Nothing was spent." in usage_page(**{"from": "2026-03-02", "to": "2026-03-07"})


def test_the_usage_page_tells_a_wrong_date_and_shows_the_last_thirty_days(usage_page):
    spend("1", day=TODAY)

    page = usage_page(**{"from": "2026-02-30"})

    assert "From is a day such as 2030-01-31." in page
    assert len(chart_of(page).findall("g")) == 30


def test_a_name_on_the_usage_page_is_text_and_not_markup(usage_page):
    spend("1", day=TODAY, recipe="<script>x</script>")

    assert "<script>x" not in usage_page()


def test_the_usage_page_asks_no_more_when_more_was_spent(usage_page):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            usage_page()
        return len(seen)

    spend("1", day=TODAY)
    few = queries()
    for number in range(60):
        spend("1", day=TODAY, recipe=f"r{number}")

    assert queries() == few
    assert "The dearest 50; the sums above count all." in usage_page()


def test_who_may_not_see_usage_does_not(client):
    user = get_user_model().objects.create_user("sam", is_staff=True)
    client.force_login(user)
    assert client.get("/admin/runs/spending/").status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_spending"))
    assert client.get("/admin/runs/spending/").status_code == 200
