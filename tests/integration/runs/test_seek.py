"""A submission whose answer was lost, at providers that can be asked what became of it."""

import time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db.models.functions import Now

from core.errors import Conflict
from providers import http, registry
from runs import control, policy
from runs.engine import submit
from runs.engine.doors import arrived_s, submit_lease_s
from runs.engine.submit import submission_unknown_of
from runs.models import Attempt
from tests.factories import planned
from tests.integration.runs.life import attempts_of, check, go_on, let_pass, live, pass_and_ring, states, step_of

pytestmark = pytest.mark.django_db(transaction=True)

GRAPH = {
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "%prompt%"}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["6", 0]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
WORKFLOW = {"workflow": GRAPH, "slots": {"prompt": ["6", "text"], "seed": ["3", "seed"]}}
USD = Decimal("0.0038")


@pytest.fixture(params=["runware", "comfyui"])
def vendor(request, emulator, monkeypatch):
    """The desk of a vendor that keeps jobs under ids of ours, and a step that buys there."""
    name = request.param
    values = {
        f"{name.upper()}_BASE_URL": emulator.urls[name], "RUNWARE_API_KEY": "secret", "COMFYUI_RECIPE_WORKFLOWS": "1",
        "ZAP_ALLOW_LOOPBACK": "1",
    }  # fmt: skip
    for variable, value in values.items():
        monkeypatch.setenv(variable, value)
    desk = emulator.desks[name]
    desk.step = {
        "runware": lambda **more: planned("a", provider="runware", model="runware:101@1", quote="0.0038", **more),
        "comfyui": lambda **more: planned("a", provider="comfyui", model="recipe", params=WORKFLOW, quote="0", **more),
    }[name]
    desk.held = USD if name == "runware" else Decimal(0)
    desk.lease_s = submit_lease_s(registry.provider(name)) + 1
    desk.sure_s = arrived_s(registry.provider(name)) + 1
    desk.looks = {"runware": "status", "comfyui": "history"}[name]
    return desk


def lose(desk, how="drop_after"):
    desk.plan.add({"on": "submit", "do": how})


def only(run):
    (attempt,) = attempts_of(run)
    return attempt


def test_its_job_is_found_and_delivers(vendor, bells):
    lose(vendor)
    run = live(vendor.step())

    go_on(bells)

    assert states(run) == ("done", {"a": "done"})
    assert len(vendor.journal.accepted()) == 1
    assert only(run).provider_request_id == vendor.journal.accepted()[0].request_id
    assert run.reserved_usd == 0


def test_it_is_asked_for_at_once_and_nobody_is_kept_waiting_by_it(vendor, bells):
    lose(vendor)
    run = live(vendor.step())

    bells.answer_all()

    assert only(run).status in {"accepted", "done"}
    assert not run.events.filter(type="step.held").exists()


def test_a_request_that_never_arrived_is_sent_again_once_that_is_certain(vendor, bells):
    lose(vendor, "drop")
    run = live(vendor.step())
    bells.answer_all()
    assert (only(run).status, step_of(run).wait_reason) == ("unknown", "submission_unknown")
    assert states(run) == ("running", {"a": "running"})

    pass_and_ring(vendor.lease_s)
    bells.answer_all()
    assert only(run).status == "unknown"
    pass_and_ring(vendor.sure_s - vendor.lease_s)
    bells.answer_all()
    go_on(bells)

    assert states(run) == ("done", {"a": "done"})
    assert len(vendor.journal.accepted()) == 1
    assert (only(run).tries, step_of(run).wait_reason) == (1, None)


def test_a_request_that_never_arrives_is_given_up_after_its_last_try_and_costs_nothing(vendor, bells, settings):
    settings.ZAP_BREAKER_FAILURES = 1000
    vendor.plan.add({"on": "submit", "do": "drop", "times": None})
    run = live(vendor.step())

    go_on(bells, hop_s=vendor.sure_s, rounds=3 * policy.SUBMIT_TRIES)

    assert states(run)[0] == "failed"
    assert (run.error, run.cost_usd, run.reserved_usd) == ("SUBMISSION_UNAVAILABLE", 0, 0)
    assert vendor.journal.accepted() == []
    assert len(vendor.journal.submissions) == policy.SUBMIT_TRIES


def test_a_provider_that_does_not_say_leaves_it_to_a_person_in_the_end(vendor, bells):
    lose(vendor)
    vendor.plan.add({"on": vendor.looks, "do": "nginx", "times": None})
    run = live(vendor.step())

    go_on(bells, hop_s=70)

    assert states(run) == ("waiting", {"a": "waiting"})
    assert (only(run).status, only(run).due_at, step_of(run).wait_reason) == ("unknown", None, "submission_unknown")
    assert run.reserved_usd == vendor.held
    assert len(vendor.journal.accepted()) == 1


def test_where_the_recipe_does_not_wait_it_fails_only_after_its_provider_was_asked(vendor, bells):
    lose(vendor)
    vendor.plan.add({"on": vendor.looks, "do": "nginx", "times": None})
    run = live(vendor.step(on_unknown="fail"))
    bells.answer_all()
    assert states(run)[0] == "running"

    go_on(bells, hop_s=70)

    assert (states(run)[0], run.error, run.reserved_usd) == ("failed", "SUBMISSION_UNKNOWN", vendor.held)


def test_its_absence_is_not_believed_after_so_long_that_it_may_have_been_forgotten(vendor, bells):
    lose(vendor, "drop")
    run = live(vendor.step())
    bells.answer_all()

    pass_and_ring(vendor.sure_s + policy.SEEK_S)
    bells.answer_all()

    assert (states(run)[0], only(run).status) == ("waiting", "unknown")


def test_a_worker_that_died_between_the_request_and_its_answer_costs_no_second_one(vendor, bells, monkeypatch):
    class Died(BaseException):
        pass

    def die(*_):
        raise Died

    run = live(vendor.step())
    with monkeypatch.context() as patch:
        patch.setattr(submit, "_write_down", die)
        with pytest.raises(Died):
            bells.answer_all()
    assert only(run).status == "submitting"

    pass_and_ring(vendor.lease_s)
    go_on(bells)

    assert states(run)[0] == "done"
    assert len(vendor.journal.accepted()) == 1


def test_while_somebody_else_looks_for_it_nobody_asks_twice(vendor, bells):
    lose(vendor)
    run = live(vendor.step())
    bells.answer()
    bells.answer()
    assert only(run).status == "unknown"
    Attempt.objects.update(lease_until=Now() + policy.hot_span())
    vendor.journal.clear()

    bells.answer_all()

    assert (only(run).status, vendor.journal.calls) == ("unknown", {})


def test_what_is_not_wanted_any_more_is_found_and_stopped(vendor, bells):
    vendor.clock.freeze()
    vendor.pace.run_s = 3600
    lose(vendor)
    run = live(vendor.step())
    bells.answer()
    bells.answer()
    assert only(run).status == "unknown"

    control.cancel_run(run.run_id, actor="eva")
    bells.answer_all()
    assert only(run).provider_request_id
    vendor.clock.advance(3600)
    for _ in range(3):
        pass_and_ring(70)
        bells.answer_all()

    assert (states(run)[0], only(run).status, run.reserved_usd) == ("canceled", "canceled", 0)


def test_what_is_not_wanted_and_never_arrived_frees_its_money(vendor, bells):
    lose(vendor, "drop")
    run = live(vendor.step())
    bells.answer_all()
    control.cancel_run(run.run_id, actor="eva")
    bells.answer_all()
    check(run)

    pass_and_ring(vendor.sure_s)
    bells.answer_all()

    assert (states(run)[0], only(run).status, run.reserved_usd, run.cost_usd) == ("canceled", "canceled", 0, 0)
    assert vendor.journal.accepted() == []


def test_nobody_says_what_became_of_it_while_its_provider_is_asked(vendor, bells):
    lose(vendor, "drop")
    run = live(vendor.step())
    bells.answer_all()

    with pytest.raises(Conflict):
        control.resolve_unknown(run.run_id, only(run).pk, bought=False, actor="user:1")


def test_a_late_answer_beats_the_search(vendor, bells, monkeypatch):
    """Its worker was slow, not dead: its lease ended, others began to look, and then it came back."""
    run = live(vendor.step())
    write_down = submit._write_down

    def slowly(attempt, token, job):
        let_pass(vendor.lease_s)
        submission_unknown_of(attempt.pk)
        return write_down(attempt, token, job)

    with monkeypatch.context() as patch:
        patch.setattr(submit, "_write_down", slowly)
        bells.answer_all()
    go_on(bells)

    assert states(run)[0] == "done"
    assert len(vendor.journal.accepted()) == 1


def test_a_request_that_was_not_begun_within_its_lease_is_never_begun(vendor, bells, monkeypatch):
    """Others may have been told by then that it never arrived."""
    run = live(vendor.step())
    adapter = type(registry.provider(step_of(run).provider))
    submit_of = adapter.submit

    def slowly(self, *args, **kwargs):
        """By the clock of this process, that is."""
        talk = submit_of(self, *args, **kwargs)
        monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600))
        return (yield from talk)

    monkeypatch.setattr(adapter, "submit", slowly)
    bells.answer()
    bells.answer()

    assert (only(run).status, only(run).error) == ("planned", "SUBMISSION_UNAVAILABLE")
    assert vendor.journal.submissions == []
