"""What becomes of a step, by the tries at it: each rule by an example."""

from decimal import Decimal

import pytest

from runs.verdict import Do, Rules, Try, next_for
from zaps.planned import Gate, Judging, PlannedStep, Retrying

RETRYABLE, FINAL, UNKNOWN = "PROVIDER_FAILED", "CONTENT_REFUSED", "SUBMISSION_UNKNOWN"
STRICT = {"judged": True, "threshold": Decimal("0.7")}


def tries(*words):
    """One for each word: a status, `done:0.8` with its score, `failed:CODE`, `failed:CODE!` at the fallback, judge…"""
    return [_try(number, word) for number, word in enumerate(words, 1)]


def _try(number, word):
    is_judging = word.startswith("judge-")
    status, _, detail = word.removeprefix("judge-").partition(":")
    if status == "done" and not is_judging:
        return Try(number=number, status=status, score=Decimal(detail) if detail else None)
    error = detail.removesuffix("!")
    return Try(number=number, status=status, is_judging=is_judging, error=error, is_fallback=detail.endswith("!"))


def following(rules, *words):
    found = next_for(Rules(**rules), tries(*words))
    return found.do, found.best, found.code


def test_a_single_try_that_delivers_finishes_the_step():
    assert following({}, "done") == (Do.FINISH, 1, "")


@pytest.mark.parametrize("status", ["planned", "submitting", "accepted", "settling"])
def test_what_is_at_work_is_waited_for(status):
    assert following({}, status) == (Do.WAIT, None, "")


@pytest.mark.parametrize("status", ["planned", "submitting", "accepted", "settling"])
def test_all_candidates_are_waited_for(status):
    assert following({"candidates": 2}, "done", status)[0] == Do.WAIT


def test_a_failure_without_retries_fails_the_step_with_its_code():
    assert following({}, f"failed:{RETRYABLE}") == (Do.FAIL, None, RETRYABLE)


def test_a_failure_that_may_pass_is_tried_again():
    assert following({"retries": 1}, f"failed:{RETRYABLE}")[0] == Do.TRY_AGAIN


def test_no_more_often_than_the_recipe_says():
    assert following({"retries": 1}, f"failed:{RETRYABLE}", f"failed:{RETRYABLE}") == (Do.FAIL, None, RETRYABLE)


def test_a_failure_for_good_is_not_tried_again():
    assert following({"retries": 3}, f"failed:{FINAL}") == (Do.FAIL, None, FINAL)


def test_a_failure_for_good_is_tried_at_the_fallback():
    assert following({"retries": 3, "has_fallback": True}, f"failed:{FINAL}")[0] == Do.TRY_AGAIN


def test_what_the_fallback_refuses_for_good_is_not_tried_again():
    rules = {"retries": 3, "has_fallback": True}

    assert following(rules, f"failed:{FINAL}", f"failed:{FINAL}!") == (Do.FAIL, None, FINAL)


@pytest.mark.parametrize("has_fallback", [False, True])
def test_a_request_of_unknown_fate_is_never_made_again(has_fallback):
    rules = {"retries": 3, "has_fallback": has_fallback}

    assert following(rules, f"failed:{UNKNOWN}") == (Do.FAIL, None, UNKNOWN)
    assert following(rules, f"unknown:{UNKNOWN}") == (Do.HOLD, None, UNKNOWN)


def test_what_somebody_stopped_is_not_made_again():
    assert following({"retries": 3}, "canceled") == (Do.FAIL, None, "CANCELED")


def test_one_failed_candidate_of_several_is_made_good():
    assert following({"candidates": 2, "retries": 1}, f"failed:{RETRYABLE}", "accepted")[0] == Do.TRY_AGAIN


def test_two_failed_candidates_share_the_retries():
    rules = {"candidates": 2, "retries": 1}

    assert following(rules, f"failed:{RETRYABLE}", f"failed:{RETRYABLE}")[0] == Do.TRY_AGAIN
    assert following(rules, f"failed:{RETRYABLE}", f"failed:{RETRYABLE}", "done")[0] == Do.FINISH


def test_some_candidates_are_enough():
    assert following({"candidates": 3}, f"failed:{FINAL}", "done", "done") == (Do.FINISH, 2, "")


def test_all_candidates_that_fail_fail_the_step():
    assert following({"candidates": 2}, f"failed:{RETRYABLE}", f"failed:{FINAL}") == (Do.FAIL, None, FINAL)


def test_one_of_unknown_fate_does_not_keep_the_others_waiting():
    assert following({"candidates": 2}, f"unknown:{UNKNOWN}", "done") == (Do.FINISH, 2, "")


def test_one_of_unknown_fate_is_waited_for_where_no_other_delivers():
    assert following({"candidates": 2}, f"unknown:{UNKNOWN}", f"failed:{FINAL}") == (Do.HOLD, None, UNKNOWN)


def test_no_money_for_a_try_holds_the_step():
    assert following({}, "failed:BUDGET_EXCEEDED") == (Do.HOLD, None, "BUDGET_EXCEEDED")


def test_several_results_are_looked_at_and_the_best_is_chosen():
    rules = {"candidates": 3, "judged": True}

    assert following(rules, "done", "done", "done")[0] == Do.JUDGE
    assert following(rules, "done:0.2", "done:0.9", "done:0.5", "judge-done") == (Do.FINISH, 2, "")


def test_of_equals_the_first_is_chosen():
    rules = {"candidates": 3, "judged": True}

    assert following(rules, "done:0.2", "done:0.9", "done:0.9", "judge-done") == (Do.FINISH, 2, "")


def test_nobody_looks_while_somebody_looks():
    assert following(STRICT, "done", "judge-settling")[0] == Do.WAIT


def test_a_score_that_reaches_the_threshold_passes():
    assert following(STRICT, "done:0.7", "judge-done") == (Do.FINISH, 1, "")


def test_a_score_below_the_threshold_is_tried_again():
    assert following({**STRICT, "retries": 1}, "done:0.69", "judge-done")[0] == Do.TRY_AGAIN


def test_only_what_nobody_has_seen_is_looked_at_after_a_further_try():
    assert following({**STRICT, "retries": 1}, "done:0.6", "judge-done", "done")[0] == Do.JUDGE


def test_where_none_is_good_enough_a_person_decides_and_the_best_is_proposed():
    rules = {**STRICT, "retries": 1}

    assert following(rules, "done:0.6", "judge-done", "done:0.5", "judge-done") == (Do.HOLD, 1, "JUDGE_FAILED")


def test_a_further_try_that_fails_for_good_ends_the_trying():
    rules = {**STRICT, "retries": 3}

    assert following(rules, "done:0.6", "judge-done", f"failed:{FINAL}") == (Do.HOLD, 1, "JUDGE_FAILED")


def test_a_further_try_that_fails_and_may_pass_uses_one_of_the_retries():
    rules = {**STRICT, "retries": 2}

    assert following(rules, "done:0.6", "judge-done", f"failed:{RETRYABLE}")[0] == Do.TRY_AGAIN
    failed = [f"failed:{RETRYABLE}"] * 2
    assert following(rules, "done:0.6", "judge-done", *failed) == (Do.HOLD, 1, "JUDGE_FAILED")


@pytest.mark.parametrize("lost", [f"unknown:{UNKNOWN}", f"failed:{UNKNOWN}"])
def test_nothing_more_is_bought_while_the_fate_of_a_purchase_is_unknown(lost):
    rules = {**STRICT, "candidates": 2, "retries": 3}

    assert following(rules, lost, "done:0.6", "judge-done") == (Do.HOLD, 2, "JUDGE_FAILED")


@pytest.mark.parametrize("code", ["JUDGE_UNAVAILABLE", "JUDGE_NO_VERDICT"])
def test_a_judge_that_does_not_say_lets_nothing_pass(code):
    assert following(STRICT, "done", f"judge-failed:{code}") == (Do.HOLD, 1, code)


def test_what_was_seen_to_be_good_is_proposed_before_what_nobody_saw():
    rules = {**STRICT, "candidates": 3}
    given_up = "judge-failed:JUDGE_UNAVAILABLE"

    assert following(rules, "done:0.3", "done:0.8", "done", given_up)[1] == 2
    assert following(rules, "done:0.3", "done:0.4", "done", given_up)[1] == 3


def test_a_gate_holds_the_best_and_passes_no_judgement():
    assert following({"gated": True}, "done") == (Do.HOLD, 1, "")
    rules = {"candidates": 2, "judged": True, "gated": True}
    assert following(rules, "done:0.1", "done:0.2", "judge-done") == (Do.HOLD, 2, "")


def test_a_gate_does_not_hold_what_has_failed():
    assert following({"gated": True}, f"failed:{FINAL}")[0] == Do.FAIL


def test_the_rules_are_those_of_the_plan():
    planned = PlannedStep(
        step_id="a", recipe_step="a", position=0, kind="image.gen", provider="mock", candidates=2,
        retry=Retrying(max=3, fallback_model="other"), judge=Judging(threshold=Decimal("0.5")), gate=Gate(),
    )  # fmt: skip

    assert Rules.of(planned) == Rules(
        candidates=2, retries=3, has_fallback=True, judged=True, threshold=Decimal("0.5"), gated=True
    )


def test_several_candidates_are_judged_even_where_no_judge_is_asked_for():
    planned = PlannedStep(step_id="a", recipe_step="a", position=0, kind="image.gen", provider="mock", candidates=2)

    assert Rules.of(planned) == Rules(candidates=2, judged=True)
