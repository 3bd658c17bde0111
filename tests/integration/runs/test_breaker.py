"""A provider's model that keeps failing is left alone for a while: what the runs see of it."""

import pytest
from django.db.models.functions import Now

from accounts.vault import keeping
from accounts.vault.cipher import new_key
from runs import circuits, control, limits
from runs.engine.submit import submit_attempt
from runs.models import Attempt, Circuit
from tests.chaos.fal import KEY, paid
from tests.factories import planned
from tests.integration.runs.life import USD, attempts_of, check, go_on, let_pass, live, pass_and_ring, states, step_of

pytestmark = pytest.mark.django_db(transaction=True)

BROKEN = {"do": "infra_error", "type": "runner_server_error", "times": None}
PAUSE_S = 60


@pytest.fixture
def paused(bells, fal, settings):
    """fal's model has failed so often that nothing is sent to it."""
    settings.ZAP_BREAKER_FAILURES, settings.ZAP_BREAKER_PAUSE_S = 2, PAUSE_S
    fal.fault("submit", **BROKEN)
    for _ in range(2):
        live(paid("a"))
        bells.answer_all()
    fal.journal.clear()
    assert Circuit.objects.get().status == "open"
    return fal


def test_nothing_is_sent_while_it_is_paused_and_the_step_says_why(paused, bells):
    run = live(paid("a"), planned("b"))

    bells.answer_all()

    assert states(run) == ("running", {"a": "running", "b": "done"})
    assert step_of(run).wait_reason == "provider_paused"
    assert paused.journal.submissions == []
    assert Attempt.objects.filter(run=run, step__step_id="a", status="planned", due_at__gt=Now()).exists()
    assert run.reserved_usd == USD


def test_another_model_of_the_same_provider_is_not_paused(paused, bells):
    paused.mend()
    other = paid("a")
    other = type(other)(**{**{name: getattr(other, name) for name in other.__slots__}, "model": "fal-ai/flux/schnell"})

    run = live(other)
    bells.answer_all()

    assert states(run)[0] == "done"


def test_one_is_let_through_when_the_pause_is_over_and_its_success_lets_all_go_on(paused, bells, emulator):
    paused.mend()
    paused.work_for(3600)
    runs = [live(paid("a")) for _ in range(3)]
    bells.answer_all()

    pass_and_ring(PAUSE_S + 5)
    bells.answer_all()
    assert len(paused.bought()) == 1
    assert [step_of(run).wait_reason for run in runs].count("provider_paused") == 2

    emulator.desks["fal"].clock.advance(3600)
    paused.work_for(0)
    go_on(bells, hop_s=70)

    assert [states(run)[0] for run in runs] == ["done"] * 3
    assert [step_of(run).wait_reason for run in runs] == [None] * 3
    assert Circuit.objects.get().status == "closed"


def test_a_message_that_comes_too_early_uses_up_no_look(paused, bells):
    paused.mend()
    run = live(paid("a"))
    bells.answer_all()
    let_pass(PAUSE_S + 5)
    attempt = attempts_of(run)[0]
    Attempt.objects.filter(pk=attempt.pk).update(due_at="2100-01-01T00:00Z")

    submit_attempt(attempt.pk)

    assert Circuit.objects.get().status == "open"
    assert circuits.admit("fal", "fal-ai/flux/dev") is None


def test_a_look_that_the_account_has_no_room_for_is_given_back(paused, bells, monkeypatch):
    paused.mend()
    runs = [live(paid("a")) for _ in range(2)]
    bells.answer_all()
    let_pass(PAUSE_S + 5)
    first, second = (attempts_of(run)[0].pk for run in runs)

    with monkeypatch.context() as patch:
        patch.setattr(limits, "wait_s", lambda *_: 30.0)
        submit_attempt(first)
    submit_attempt(second)
    bells.answer_all()

    assert step_of(runs[0]).wait_reason == "rate_limit"
    assert states(runs[1])[0] == "done"
    assert Circuit.objects.get().status == "closed"


def test_the_bad_key_of_one_creator_stops_nobody_else(bells, fal, settings, django_user_model):
    settings.ZAP_BREAKER_FAILURES, settings.ZAP_SECRET_KEYS = 2, [new_key()]
    eva, bob = (django_user_model.objects.create(username=name) for name in ("eva", "bob"))
    keeping.put("fal", {"fal_key": "invalid"}, owner_id=eva.pk, by="eva")
    keeping.put("fal", {"fal_key": KEY}, owner_id=bob.pk, by="bob")
    for _ in range(3):
        refused = live(paid("a"), owner=eva)
        bells.answer_all()

    run = live(paid("a"), owner=bob)
    bells.answer_all()

    assert states(run)[0] == "done"
    assert (states(refused)[0], step_of(refused).wait_reason) == ("running", "provider_paused")
    assert [(one.model, one.status) for one in Circuit.objects.all()] == [("", "open")]


def test_an_account_that_is_refused_again_and_again_is_not_asked_for_a_while(bells, fal, settings, monkeypatch):
    settings.ZAP_BREAKER_FAILURES = 2
    monkeypatch.setenv("FAL_KEY", "invalid")
    for _ in range(2):
        live(paid("a"))
        bells.answer_all()
    fal.journal.clear()

    run = live(paid("a"))
    bells.answer_all()

    assert (states(run)[0], step_of(run).wait_reason) == ("running", "provider_paused")
    assert fal.journal.calls == {}


def test_a_look_that_fails_pauses_it_for_longer(paused, bells):
    run = live(paid("a"))
    bells.answer_all()

    pass_and_ring(PAUSE_S + 5)
    bells.answer_all()

    assert states(run)[0] == "failed"
    assert (Circuit.objects.get().status, Circuit.objects.get().pauses) == ("open", 2)


def test_what_is_paused_can_be_canceled_and_costs_nothing(paused, bells):
    run = live(paid("a"))
    bells.answer_all()

    control.cancel_run(run.run_id, actor="eva")

    assert states(run)[0] == "canceled"
    assert (run.cost_usd, run.reserved_usd) == (0, 0)
    check(run)


def test_a_request_that_says_nothing_about_the_provider_opens_nothing(bells, fal, settings):
    settings.ZAP_BREAKER_FAILURES = 1
    fal.fault("submit", "model_error", type="content_policy_violation", times=None)

    for _ in range(3):
        live(paid("a"))
        bells.answer_all()

    assert not Circuit.objects.filter(status="open").exists()
