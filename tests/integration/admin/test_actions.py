"""What operators do to many rows at once, through the same functions as the interface."""

from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from cryptography.fernet import Fernet
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from accounts.models import Secret
from accounts.vault import keeping
from runs import circuits, limits
from runs.models import Circuit, ProviderAccount, Run
from tests.factories import make_run, planned
from tests.integration.money import bury

pytestmark = pytest.mark.django_db
RUNS, LETTERS, ACCOUNTS = "/admin/runs/run/", "/admin/runs/deadletter/", "/admin/runs/provideraccount/"


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


@pytest.fixture
def account():
    return ProviderAccount.objects.create(key="acct_1", provider="fal")


@pytest.fixture
def press(client, operator):
    """Choose rows of a list and order something; the answer, and what was told."""

    def order(page, action, *rows, **more):
        chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
        answer = client.post(page, chosen | more, follow=True)
        assert answer.status_code == 200
        return answer, [str(message) for message in answer.context["messages"]]

    return order


class Form(HTMLParser):
    """The hidden fields of a page's question."""

    def __init__(self, page):
        super().__init__()
        self.fields = {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "input" and given.get("type") == "hidden":
            self.fields.setdefault(given["name"], []).append(given["value"])


def status_of(*runs):
    return [Run.objects.get(pk=run.pk).status for run in runs]


def test_failed_runs_are_retried_each_for_itself(press):
    fine, poor, fresh = bury(), bury(), make_run(planned("clip"))
    Run.objects.filter(pk=poor.pk).update(cap_usd=0)

    _, told = press(RUNS, "retry_selected", fine, poor, fresh)

    assert f"{fine.run_id} goes on." in told
    assert [line for line in told if line.startswith(f"{poor.run_id}: BUDGET_EXCEEDED: ")]
    assert [line for line in told if line.startswith(f"{fresh.run_id}: RUN_")]
    assert status_of(fine, poor) == ["running", "failed"]


def test_canceled_runs_are_resumed_in_the_operator_s_name(press, operator):
    run = make_run(planned("clip"))
    press(RUNS, "cancel_selected", run)
    assert status_of(run) == ["canceled"]

    _, told = press(RUNS, "resume_selected", run)

    assert told == [f"{run.run_id} goes on."]
    assert run.events.filter(type="run.reopened", actor=f"user:{operator.pk}").count() == 1


@pytest.mark.parametrize(
    ("page", "action"), [(RUNS, "retry_selected"), (RUNS, "resume_selected"), (LETTERS, "redrive_selected")]
)
def test_what_costs_money_is_asked_first(press, page, action):
    Run.objects.filter(pk=(run := bury()).pk).update(provider_mode="live", cap_usd=4, cost_usd=1)
    row = run if page == RUNS else run.steps.get()

    answer, _ = press(page, action, row)

    shown = answer.content.decode()
    assert "1 live run may spend up to $3.00 more." in shown
    assert status_of(run) == ["failed"]
    fields = Form(shown).fields
    assert (fields["action"], fields["confirmed"], fields["_selected_action"]) == ([action], ["yes"], [str(row.pk)])


def test_the_answer_to_the_question_goes_through_the_engine(press):
    Run.objects.filter(pk=(run := bury()).pk).update(provider_mode="live")

    _, told = press(RUNS, "retry_selected", run, confirmed="yes")

    assert told == [f"{run.run_id} goes on."]
    assert status_of(run) == ["running"]


def test_an_account_is_paused_and_let_go(press, operator, account):
    _, told = press(ACCOUNTS, "pause_an_hour", account)

    assert told == ["fal acct_1: nothing is submitted for 1 h 00 min; jobs at the provider go on."]
    assert circuits.admit("fal", account="acct_1") == 60
    assert circuits.admit("fal", account="acct_2") is None
    assert limits.wait_s("acct_1", "fal") == 0  # polls go on

    _, told = press(ACCOUNTS, "let_go_selected", account)
    assert told == ["fal acct_1: goes on within a minute."]
    assert circuits.admit("fal", account="acct_1") is None
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == ["Paused for 1 h 00 min.", "Let go."]


def test_letting_go_what_was_not_paused_says_so(press, account):
    assert press(ACCOUNTS, "let_go_selected", account)[1] == ["fal acct_1: was not paused."]


def test_neither_a_success_nor_a_failure_ends_an_operator_s_pause(press, account):
    press(ACCOUNTS, "pause_a_day", account)

    circuits.note_failure("fal", "m", "KEY_INVALID", account="acct_1")
    circuits.note_success("fal", "m", account="acct_1")

    row = Circuit.objects.get(account="acct_1")
    assert (row.status, row.error) == ("open", circuits.PAUSED_BY_HAND)
    assert row.retry_at > timezone.now() + timedelta(hours=23)


def test_after_the_pause_one_success_opens_the_door_again(press, account):
    press(ACCOUNTS, "pause_an_hour", account)
    Circuit.objects.update(retry_at=timezone.now() - timedelta(seconds=1))
    circuits.forget()

    assert circuits.admit("fal", account="acct_1", attempt=7) is None
    circuits.note_success("fal", "m", account="acct_1")

    assert Circuit.objects.get(account="acct_1").status == "closed"


def test_limits_are_changed_in_the_list(client, operator, account):
    other = ProviderAccount.objects.create(key="acct_2", provider="gmi", jobs_in_flight=9)
    limited = {"requests_per_s": "2.5", "jobs_in_flight": "4", "day_cap_usd": "10"}
    as_before = {"requests_per_s": "", "jobs_in_flight": "9", "day_cap_usd": ""}
    form = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": "Save"}
    for place, (row, values) in enumerate([(account, limited), (other, as_before)]):
        form |= {f"form-{place}-{name}": value for name, value in {"id": row.pk, **values}.items()}
    assert limits.limits_of("acct_1", "fal").jobs_in_flight is None

    client.post(ACCOUNTS, form)

    account.refresh_from_db()
    assert (account.requests_per_s, account.jobs_in_flight, account.day_cap_usd) == (Decimal("2.5"), 4, 10)
    assert limits.limits_of("acct_1", "fal").jobs_in_flight == 4
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(account.pk)]


def test_chosen_secrets_are_encrypted_again_with_the_newest_key(press, operator, settings):
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode()]
    keeping.put("fal", {"fal_key": "of-the-operator"}, owner_id=None, by="test")
    keeping.put("fal", {"fal_key": "not-chosen"}, owner_id=operator.pk, by="test")
    chosen, other = Secret.objects.get(owner=None), Secret.objects.get(owner=operator)
    settings.ZAP_SECRET_KEYS = [Fernet.generate_key().decode(), *settings.ZAP_SECRET_KEYS]

    answer, told = press("/admin/accounts/secret/", "rotate_selected", chosen)

    assert told == ["1 encrypted again."]
    assert Secret.objects.get(pk=chosen.pk).ciphertext != chosen.ciphertext
    assert Secret.objects.get(pk=other.pk).ciphertext == other.ciphertext
    assert "of-the-operator" not in answer.content.decode()


def test_who_may_only_look_is_offered_nothing_and_does_nothing(client, account):
    watcher = get_user_model().objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__in=["view_run", "view_provideraccount"]))
    client.force_login(watcher)
    run = bury()

    client.post(RUNS, {"action": "retry_selected", "_selected_action": [run.pk]})
    client.post(ACCOUNTS, {"action": "pause_an_hour", "_selected_action": [account.pk]})

    assert status_of(run) == ["failed"]
    assert not Circuit.objects.exists()
