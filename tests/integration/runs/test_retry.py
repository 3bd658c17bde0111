"""Further tries: when, of what, at whom, and what they cost."""

from datetime import timedelta
from decimal import Decimal

import pytest

from core.errors import BadInput, Conflict
from runs import control
from runs.engine.submit import submit_attempt
from runs.models import Attempt, LedgerEntry
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import USD, attempts_of, go_on, live, pass_and_ring, states, step_of
from zaps.planned import Retrying

pytestmark = pytest.mark.django_db(transaction=True)

BACK_OFF = Retrying(max=3, backoff_s=Decimal(10))
ONCE = Retrying(max=1)
BROKEN = {"do": "infra_error", "type": "runner_server_error"}


def waits_s(attempt):
    """How far ahead it is due."""
    return Attempt.objects.filter(pk=attempt.pk).values_list("due_at", flat=True).get() - attempt.created_at


def test_a_failure_that_may_pass_is_tried_again_with_a_key_and_a_number_of_its_own(bells, fal):
    fal.fault("submit", **BROKEN)
    run = live(paid("a", retry=ONCE))

    go_on(bells)

    assert states(run) == ("done", {"a": "done"})
    first, second = attempts_of(run)
    assert (first.status, first.number, second.status, second.number) == ("failed", 1, "done", 2)
    assert first.idem_key != second.idem_key
    assert len({one.idem for one in fal.bought()}) == 2
    assert step_of(run).error == second.error == ""


def test_a_failure_for_good_is_not_tried_again(bells, fal):
    fal.fault("submit", "model_error", type="content_policy_violation")
    run = live(paid("a", retry=Retrying(max=3)))

    go_on(bells)

    assert states(run)[0] == "failed"
    assert len(attempts_of(run)) == 1
    assert len(fal.bought()) == 1


def test_a_failure_for_good_is_tried_at_the_fallback_at_its_price(bells, fal):
    fal.fault("submit", "model_error", type="content_policy_violation", model="fal-ai/flux/dev")
    other = Retrying(max=1, fallback_model="fal-ai/flux/schnell", fallback_usd=Decimal("0.003"))
    run = live(paid("a", retry=other))

    go_on(bells)

    assert states(run)[0] == "done"
    first, second = attempts_of(run)
    assert (first.model, second.model) == ("fal-ai/flux/dev", "fal-ai/flux/schnell")
    assert (second.quote_usd, second.actual_usd) == (Decimal("0.003"), Decimal("0.003"))
    assert [one.model for one in fal.bought()] == ["fal-ai/flux/dev", "fal-ai/flux/schnell"]
    assert run.cost_usd == first.actual_usd + second.actual_usd


def test_the_fallback_may_be_another_provider(bells, fal):
    fal.fault("submit", "reject", times=None)
    run = live(paid("a", retry=Retrying(max=1, fallback_provider="mock", fallback_model="mock/image.gen")))

    go_on(bells)

    assert states(run)[0] == "done"
    assert [one.provider for one in attempts_of(run)] == ["fal", "mock"]


def test_each_further_try_waits_twice_as_long_and_says_why(bells):
    run = make_run(planned("a", retry=BACK_OFF, params={"mock": {"fail": "PROVIDER_FAILED"}}))

    seen = []
    for number in (2, 3, 4):
        bells.answer_all()
        newest = attempts_of(run)[-1]
        assert (newest.number, newest.status) == (number, "planned")
        assert step_of(run).wait_reason == "backoff"
        seen.append(round(waits_s(newest).total_seconds()))
        go_on(bells, rounds=1, hop_s=seen[-1] + 5)
    bells.answer_all()

    assert seen == [10, 20, 40]
    assert states(run)[0] == "failed"
    assert step_of(run).wait_reason is None


def test_a_try_is_not_made_before_its_time_even_when_somebody_rings(bells):
    run = make_run(planned("a", retry=BACK_OFF, params={"mock": {"fail": "PROVIDER_FAILED"}}))
    bells.answer_all()
    newest = attempts_of(run)[-1]

    submit_attempt(newest.pk)

    assert attempts_of(run)[-1].status == "planned"


def test_a_local_step_waits_before_it_is_tried_again_too(bells):
    run = make_run(planned("film", kind="stitch", retry=BACK_OFF, inputs=()))

    bells.answer_all()

    tries = attempts_of(run, "film")
    assert tries[0].status == "failed"
    if len(tries) > 1:
        assert tries[1].status == "planned"
        assert waits_s(tries[1]) >= timedelta(seconds=9)


def test_a_try_that_goes_on_after_its_pause_says_no_more_that_it_waits(bells):
    run = make_run(planned("a", retry=BACK_OFF, params={"mock": {"fail": "PROVIDER_FAILED", "latency_s": 0}}))
    bells.answer_all()
    step = step_of(run)
    step.spec["params"]["mock"] = {"latency_s": 3600}
    step.save(update_fields=["spec"])

    go_on(bells, rounds=1, hop_s=15)

    assert attempts_of(run)[-1].status == "accepted"
    assert step_of(run).wait_reason in {None, "provider_queue"}


@pytest.mark.parametrize("on_unknown", ["wait", "fail"])
def test_a_submission_of_unknown_fate_is_never_bought_again(bells, fal, on_unknown):
    fal.fault("submit", "drop_after")
    run = live(paid("a", retry=Retrying(max=3), on_unknown=on_unknown))

    go_on(bells)

    assert states(run)[0] == ("waiting" if on_unknown == "wait" else "failed")
    assert len(fal.bought()) == len(attempts_of(run)) == 1
    assert (run.reserved_usd, run.cost_usd) == (USD, 0)


def test_a_further_try_holds_money_of_its_own(bells, fal):
    fal.fault("submit", **BROKEN)
    run = live(paid("a", retry=ONCE))

    go_on(bells)

    run.refresh_from_db()
    entries = LedgerEntry.objects.filter(run_id=run.run_id)
    held = list(entries.filter(kind="reserved").values_list("attempt", "usd"))
    assert held == [(None, USD), (2, USD)]
    assert (run.reserved_usd, run.cost_usd) == (0, USD)


def test_without_money_for_a_further_try_it_waits_and_a_higher_cap_lets_it_go_on(bells, fal):
    fal.fault("submit", "model_error", type="downstream_service_error", status=500, retryable=True, times=1)
    dear = Retrying(max=1, fallback_model="fal-ai/flux/dev", fallback_usd=Decimal(1))
    run = live(paid("a", retry=dear), paid("b", "a"), cap="0.06")
    go_on(bells)
    assert states(run) == ("waiting", {"a": "waiting", "b": "queued"})
    assert (run.wait_reason, step_of(run).wait_reason, step_of(run).error) == ("budget", "budget", "BUDGET_EXCEEDED")
    assert run.reserved_usd == USD

    control.resume_run(run.run_id, actor="eva", max_usd=Decimal(2))
    go_on(bells)

    assert states(run) == ("done", {"a": "done", "b": "done"})
    assert (run.cap_usd, run.wait_reason, step_of(run).error) == (2, None, "")


def test_a_cap_can_only_be_raised(bells):
    run = make_run(planned("a", quote="1", on_unknown="wait", params={"mock": {"fail": "PROVIDER_REJECTED"}}), cap="2")
    bells.answer_all()

    with pytest.raises(BadInput):
        control.resume_run(run.run_id, actor="eva", max_usd=Decimal(1))

    assert states(run)[0] == "failed"


def test_without_money_for_another_candidate_the_others_must_do(bells, fal):
    fal.fault("submit", **BROKEN)
    run = live(
        paid("a", candidates=2, retry=Retrying(max=2, fallback_model="fal-ai/flux/dev", fallback_usd=Decimal(1))),
        cap="0.06",
    )

    go_on(bells)

    assert states(run) == ("done", {"a": "done"})
    assert [one.status for one in attempts_of(run, role="make")] == ["failed", "done"]


def test_no_money_and_one_of_unknown_fate_waits_for_the_one(bells, fal):
    fal.fault("submit", "drop_after")
    fal.fault("submit", "infra_error", type="runner_server_error")
    run = live(
        paid("a", candidates=2, retry=Retrying(max=2, fallback_model="fal-ai/flux/dev", fallback_usd=Decimal(1))),
        cap="0.06",
    )

    go_on(bells)

    assert states(run)[0] == "waiting"
    assert (step_of(run).wait_reason, step_of(run).error) == ("submission_unknown", "SUBMISSION_UNKNOWN")


def test_a_person_tries_a_failed_step_again_with_what_came_after(bells):
    run = make_run(
        planned("a", params={"mock": {"fail": "PROVIDER_REJECTED"}}), planned("b", "a"), planned("c", "b"), cap="5"
    )
    bells.answer_all()
    assert states(run) == ("failed", {"a": "failed", "b": "skipped", "c": "skipped"})
    mend(run, "a")

    control.retry_run(run.run_id, actor="eva", comment="once more")
    go_on(bells)

    assert states(run) == ("done", {"a": "done", "b": "done", "c": "done"})
    assert run.error == ""
    assert [(one.round, one.status) for one in attempts_of(run)] == [(1, "failed"), (2, "done")]


def test_one_of_two_failed_steps_alone_is_not_tried_again(bells):
    run = make_run(*(planned(name, params={"mock": {"fail": "PROVIDER_REJECTED"}}) for name in "ab"), planned("c", "a"))
    bells.answer_all()

    with pytest.raises(Conflict, match="b"):
        control.retry_run(run.run_id, actor="eva", step_id="a")

    mend(run, "a")
    mend(run, "b")
    control.retry_run(run.run_id, actor="eva")
    go_on(bells)
    assert states(run)[0] == "done"


def test_what_failed_in_a_canceled_run_is_tried_again_with_all_that_was_stopped(bells):
    slow = {"mock": {"latency_s": 3600}}
    run = make_run(
        planned("a", params={"mock": {"fail": "PROVIDER_REJECTED"}}), planned("b", params=slow), planned("c", "a", "b")
    )
    bells.answer_all()
    assert states(run) == ("running", {"a": "failed", "b": "running", "c": "skipped"})
    control.cancel_run(run.run_id, actor="eva")
    mend(run, "a")
    mend(run, "b")

    control.retry_run(run.run_id, actor="eva")
    go_on(bells)

    assert states(run) == ("done", {"a": "done", "b": "done", "c": "done"})


def mend(run, step_id):
    """Whatever was wrong with it is not any more."""
    step = step_of(run, step_id)
    step.spec["params"] = {}
    step.save(update_fields=["spec"])


def test_a_request_that_never_left_is_rung_for_as_soon_as_it_is_due(bells):
    run = make_run(planned("a", params={"mock": {"fail": "SUBMISSION_UNAVAILABLE"}}))
    bells.answer_all()
    for tries in (2, 3):
        pass_and_ring(12)  # longer than the back-off, shorter than the drain's own patience
        bells.answer_all()
        assert attempts_of(run)[0].tries == tries


def test_a_result_that_cannot_be_fetched_yet_says_that_it_waits(bells, fal):
    fal.fault("media", "status", status=503)
    run = live(paid("a"))
    bells.answer_all()
    assert (step_of(run).wait_reason, attempts_of(run)[0].status) == ("backoff", "settling")
    assert states(run)[0] == "running"

    go_on(bells)

    assert states(run)[0] == "done"
    assert (step_of(run).wait_reason, attempts_of(run)[0].error) == (None, "")
    assert len(fal.bought()) == 1
