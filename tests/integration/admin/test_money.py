"""The operators' pages of money and trouble."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.models import Allowance, Budget, Circuit, LedgerEntry, Run, Step
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db
TODAY = date(2026, 5, 31)
CHART = '<svg class="zap-chart"'
TABLES = ["ledgerentry", "budget", "allowance", "circuit", "deadletter"]


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


@pytest.fixture
def usage_page(client, operator, time_machine):
    """The page of usage, on the last of May 2026."""
    time_machine.move_to(datetime(2026, 5, 31, 12, tzinfo=UTC), tick=False)
    client.force_login(operator)

    def get(**query):
        answer = client.get("/admin/runs/spending/", query)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def spend(usd, *, quote="0.5", day=TODAY, owner=None, recipe="lighthouse", model="fal-ai/flux", kind="spent"):
    return LedgerEntry.objects.create(
        kind=kind,
        usd=Decimal(usd),
        quote_usd=Decimal(quote),
        source="reported" if kind == "spent" else "",
        day=day,
        run_id="run_1",
        step_id="clip",
        attempt=1,
        owner=owner,
        zap_slug=recipe,
        provider="fal",
        model=model,
    )


def pause(provider="fal", model="fal-ai/flux", **fields):
    now = timezone.now()
    values = {"status": "open", "failures": 5, "pauses": 1, "error": "PROVIDER_UNAVAILABLE", "opened_at": now}
    values["retry_at"] = now + timedelta(minutes=1)
    return Circuit.objects.create(provider=provider, model=model, **(values | fields))


def bury(error="PROVIDER_UNAVAILABLE", **fields):
    """A run that failed with its only step."""
    run = make_run(planned("clip", quote="0.5", **fields))
    now = timezone.now()
    ended = {"status": "failed", "error": error, "finished_at": now, "wait_reason": None, "due_at": None}
    Step.objects.filter(run=run).update(**ended, reserved_usd=0, actual_usd=Decimal("0.25"))
    Run.objects.filter(pk=run.pk).update(**ended, stage="failed", reserved_usd=0)
    return run


def fill(operator, number):
    """A row in every table."""
    owner = get_user_model().objects.create_user(f"owner{number}")
    spend("1", owner=owner)
    Budget.objects.create(key=f"owner:{owner.pk}", owner=owner, spent_usd=1)
    Allowance.objects.create(owner=owner, cap_usd=3)
    pause(model=f"m{number}")
    bury()


def chart_of(page):
    """The chart, as the elements that it is made of."""
    start = page.index(CHART)
    return ElementTree.fromstring(page[start : page.index("</svg>", start) + 6])


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def test_every_page_opens_and_asks_no_more_when_it_has_more_rows(client, operator):
    def queries(table):
        with CaptureQueriesContext(connection) as seen:
            assert client.get(f"/admin/runs/{table}/").status_code == 200, table
        return len(seen)

    fill(operator, 0)
    few = {table: queries(table) for table in TABLES}
    for number in range(1, 4):
        fill(operator, number)

    assert {table: queries(table) for table in TABLES} == few
    for model in (LedgerEntry, Budget, Allowance, Circuit):
        row = model._base_manager.first()
        assert client.get(f"/admin/runs/{model._meta.model_name}/{row.pk}/change/").status_code == 200
    assert client.get(f"/admin/runs/deadletter/{Step.objects.first().pk}/change/").status_code == 200


@pytest.mark.parametrize("table", ["ledgerentry", "budget", "circuit", "deadletter", "spending"])
def test_only_allowances_are_filled_in_by_hand(client, operator, table):
    assert client.get(f"/admin/runs/{table}/add/").status_code == 403


def test_every_filter_of_a_page_works(client, operator):
    fill(operator, 0)

    for address in (
        "ledgerentry/?kind=spent&source=reported&provider=fal",
        "ledgerentry/?q=lighthouse",
        "budget/?whose=owner",
        "budget/?whose=day",
        "budget/?whose=nonsense",
        "circuit/?status=open&q=fal",
        "deadletter/?provider=mock&run__provider_mode=mock",
        "deadletter/?q=PROVIDER_UNAVAILABLE",
    ):
        assert client.get(f"/admin/runs/{address}").status_code == 200, address


def test_the_usage_page_shows_every_sum_and_a_bar_for_every_day(usage_page):
    alice = get_user_model().objects.create_user("alice")
    spend("2.5", quote="2", owner=alice)
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
    spend("1")

    page = usage_page(**{"from": "2026-02-30"})

    assert "From is a day such as 2030-01-31." in page
    assert len(chart_of(page).findall("g")) == 30


def test_a_name_on_the_usage_page_is_text_and_not_markup(usage_page):
    spend("1", recipe="<script>x</script>")

    assert "<script>x" not in usage_page()


def test_the_usage_page_asks_no_more_when_more_was_spent(client, operator, usage_page):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            usage_page()
        return len(seen)

    spend("1")
    few = queries()
    for number in range(60):
        spend("1", recipe=f"r{number}")

    assert queries() == few
    assert "The dearest 50; the sums above count all." in usage_page()


def test_who_may_not_see_usage_does_not(client, operator):
    user = get_user_model().objects.create_user("sam", is_staff=True)
    client.force_login(user)
    assert client.get("/admin/runs/spending/").status_code == 403

    user.user_permissions.add(Permission.objects.get(codename="view_spending"))
    assert client.get("/admin/runs/spending/").status_code == 200


def test_an_operator_allows_an_owner_more(client, operator, settings):
    settings.ZAP_OWNER_DAY_CAP_USD = Decimal(5)
    alice = get_user_model().objects.create_user("alice")

    client.post("/admin/runs/allowance/add/", {"owner": alice.pk, "cap_usd": "20", "day_cap_usd": ""})

    assert (alice.allowance.cap_usd, alice.allowance.day_cap_usd) == (20, None)
    page = client.get("/admin/runs/allowance/").content.decode()
    assert "$20.00" in page
    assert "$5.00 (settings)" in page


def test_an_allowance_is_never_less_than_nothing(client, operator):
    answer = client.post("/admin/runs/allowance/add/", {"owner": operator.pk, "cap_usd": "-1", "day_cap_usd": "-0.5"})

    assert set(answer.context["adminform"].form.errors) == {"cap_usd", "day_cap_usd"}
    assert not Allowance.objects.exists()


def test_a_paused_model_is_shown_with_its_reason_and_its_end(client, operator):
    pause(retry_at=datetime(2030, 1, 31, 12, 0, 5, tzinfo=UTC))
    pause("gmi", "veo3", status="half_open")

    page = client.get("/admin/runs/circuit/").content.decode()

    for word in ("The provider is busy or down.", "2030-01-31 12:00:05", "one submission is out to see"):
        assert word in page


def test_an_operator_resets_a_circuit(client, operator):
    chosen, other = pause(), pause("gmi", "veo3")

    answer = client.post(
        "/admin/runs/circuit/", {"action": "reset_selected", "_selected_action": [chosen.pk]}, follow=True
    )

    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (chosen.status, other.status) == ("closed", "open")
    assert messages_of(answer) == ["fal fal-ai/flux: submissions go through again. What waits is sent within a minute."]


def test_who_may_only_look_resets_and_redrives_nothing(client, operator):
    user = get_user_model().objects.create_user("sam", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_circuit", "view_deadletter"]))
    client.force_login(user)
    circuit, run = pause(), bury()

    client.post("/admin/runs/circuit/", {"action": "reset_selected", "_selected_action": [circuit.pk]})
    client.post("/admin/runs/deadletter/", {"action": "redrive_selected", "_selected_action": [run.steps.get().pk]})

    circuit.refresh_from_db()
    run.refresh_from_db()
    assert (circuit.status, run.status) == ("open", "failed")


def test_a_dead_letter_says_what_failed_why_and_what_it_cost(client, operator):
    run = bury()
    make_run(planned("going"))

    page = client.get("/admin/runs/deadletter/").content.decode()

    for word in (run.run_id, "clip", "PROVIDER_UNAVAILABLE", "The provider is busy or down.", "$0.25"):
        assert word in page
    assert "going" not in page


def test_an_operator_redrives_and_is_told_what_became_of_each(client, operator):
    fine, poor, untouched = bury(), bury(), bury()
    Run.objects.filter(pk=poor.pk).update(cap_usd=0)
    chosen = [run.steps.get().pk for run in (fine, poor)]

    answer = client.post(
        "/admin/runs/deadletter/", {"action": "redrive_selected", "_selected_action": chosen}, follow=True
    )

    told = messages_of(answer)
    assert f"{fine.run_id} goes on; clip made again." in told
    assert [line for line in told if line.startswith(f"{poor.run_id}: BUDGET_EXCEEDED: ")]
    assert {run.pk: Run.objects.get(pk=run.pk).status for run in (fine, poor, untouched)} == {
        fine.pk: "running",
        poor.pk: "failed",
        untouched.pk: "failed",
    }
    assert fine.events.filter(actor=f"user:{operator.pk}").exists()


def test_the_owner_of_money_may_be_gone(client, operator):
    alice = get_user_model().objects.create_user("alice")
    spend("1", owner=alice)
    gone = alice.pk
    alice.delete()

    assert f"#{gone}" in client.get("/admin/runs/ledgerentry/").content.decode()
