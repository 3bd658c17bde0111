"""The operators' pages of money and trouble."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs.models import Allowance, Budget, Circuit, LedgerEntry, Run, Step
from tests.factories import make_run, planned
from tests.integration.money import bury, pause, spend

pytestmark = pytest.mark.django_db
TABLES = ["ledgerentry", "budget", "allowance", "circuit", "deadletter"]


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


def fill(operator, number):
    """A row in every table."""
    owner = get_user_model().objects.create_user(f"owner{number}")
    spend("1", owner=owner)
    Budget.objects.create(key=f"owner:{owner.pk}", owner=owner, spent_usd=1)
    Allowance.objects.create(owner=owner, cap_usd=3)
    pause(model=f"m{number}")
    bury()


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
