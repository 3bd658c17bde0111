"""What an unknown submission holds, and who ends that."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from core.errors import Conflict
from runs import control
from runs.engine.advance import advance_run
from runs.engine.submit import submission_unknown
from runs.models import Attempt, LedgerEntry
from runs.transitions import alone
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lost(bells):
    """An attempt whose request may or may not have arrived."""
    run = make_run(planned("clip", quote="0.5"))
    advance_run(run.pk)
    attempt = run.attempts.select_related("step", "run").get()
    token = run.attempts.model._meta.get_field("lease_token").to_python("00000000-0000-4000-8000-000000000001")
    alone.submitting(attempt, token)
    submission_unknown(attempt, token)
    return attempt


def money(attempt):
    attempt.run.refresh_from_db()
    return attempt.run.reserved_usd, attempt.run.cost_usd


def test_what_was_not_bought_is_free_again(lost):
    assert money(lost) == (Decimal("0.5"), 0)

    control.resolve_unknown(lost.run.run_id, lost.pk, bought=False, actor="user:1")

    assert money(lost) == (0, 0)
    assert lost.run.steps.get().status == "waiting"


def test_what_was_bought_is_booked_even_after_somebody_gave_up_waiting(lost):
    control.reject_run(lost.run.run_id, actor="eva")
    assert Attempt.objects.get(pk=lost.pk).status == "canceling"
    assert money(lost) == (Decimal("0.5"), 0)

    control.resolve_unknown(lost.run.run_id, lost.pk, bought=True, actor="user:1")

    assert money(lost) == (0, Decimal("0.5"))
    spent = LedgerEntry.objects.get(run_id=lost.run.run_id, kind="spent")
    assert (spent.usd, spent.source) == (Decimal("0.5"), "quoted")


def test_what_a_recipe_gave_up_at_once_can_be_freed_later(bells):
    run = make_run(planned("clip", quote="0.5", on_unknown="fail"))
    advance_run(run.pk)
    attempt = run.attempts.select_related("step", "run").get()
    Attempt.objects.filter(pk=attempt.pk).update(status="submitting", lease_until="2020-01-01T00:00:00Z")
    attempt.status = "submitting"
    submission_unknown(attempt, None)
    assert (run.attempts.get().status, money(attempt)) == ("failed", (Decimal("0.5"), 0))

    control.resolve_unknown(run.run_id, attempt.pk, bought=False, actor="user:1")

    assert money(attempt) == (0, 0)
    with pytest.raises(Conflict):
        control.resolve_unknown(run.run_id, attempt.pk, bought=True, actor="user:1")


def test_an_operator_frees_it_in_the_admin(lost, client):
    client.force_login(User.objects.create_superuser("op"))

    answer = client.post(
        reverse("admin:runs_attempt_changelist"),
        {"action": "was_not_bought", "_selected_action": [lost.pk]},
        follow=True,
    )

    assert "its money is free" in answer.content.decode()
    assert money(lost) == (0, 0)
