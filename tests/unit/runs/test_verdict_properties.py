"""What becomes of a step, whatever its tries come to."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runs.verdict import Do, Rules, Try, next_for

RETRYABLE, FINAL, UNKNOWN = "PROVIDER_FAILED", "CONTENT_REFUSED", "SUBMISSION_UNKNOWN"
SCORES = st.decimals(0, 1, places=2)
ENDS = st.sampled_from(["done", "done", RETRYABLE, FINAL, UNKNOWN, "unknown", "canceled", "BUDGET_EXCEEDED"])
STATUSES = st.sampled_from(
    ["planned", "submitting", "accepted", "settling", "done", "failed", "canceled", "unknown", "canceling"]
)


@st.composite
def rules(draw):
    candidates, threshold = draw(st.integers(1, 4)), draw(st.none() | SCORES)
    return Rules(
        candidates=candidates,
        retries=draw(st.integers(0, 4)),
        has_fallback=draw(st.booleans()),
        judged=candidates > 1 or threshold is not None,
        threshold=threshold,
        gated=draw(st.booleans()),
    )


@st.composite
def any_tries(draw):
    """Tries in any state, possible or not."""
    return [
        Try(
            number=number,
            status=draw(STATUSES),
            is_judging=draw(st.booleans()),
            error=draw(st.sampled_from(["", RETRYABLE, FINAL, UNKNOWN])),
            is_fallback=draw(st.booleans()),
            score=draw(st.none() | SCORES),
        )
        for number in range(1, draw(st.integers(1, 7)))
    ]


def play(rules, data):
    """Carry out what is decided, with tries that come to anything, until nothing moves by itself."""
    tries = [Try(number=number, status="planned") for number in range(1, rules.candidates + 1)]
    for _ in range(100):
        found = next_for(rules, tries)
        if found.do == Do.WAIT:
            tries = end_one(rules, tries, data)
        elif found.do in {Do.TRY_AGAIN, Do.JUDGE}:
            is_judging = found.do == Do.JUDGE
            tries.append(
                Try(
                    number=len(tries) + 1,
                    status="planned",
                    is_judging=is_judging,
                    is_fallback=rules.has_fallback and not is_judging,
                )
            )
        else:
            return found, tries
    raise AssertionError("It goes on for ever.")


def end_one(rules, tries, data):
    busy = [one for one in tries if one.status == "planned"]
    chosen = data.draw(st.sampled_from(busy))
    if chosen.is_judging:
        if data.draw(st.booleans()):
            ended = replace(chosen, status="failed", error="JUDGE_UNAVAILABLE")
            return [ended if one is chosen else one for one in tries]
        tries = [
            replace(one, score=data.draw(SCORES))
            if one.status == "done" and not one.is_judging and one.score is None
            else one
            for one in tries
        ]
        return [replace(one, status="done") if one.number == chosen.number else one for one in tries]
    how = data.draw(ENDS)
    named = {"done": ("done", ""), "unknown": ("unknown", UNKNOWN), "canceled": ("canceled", "")}
    status, error = named.get(how, ("failed", how))
    ended = replace(chosen, status=status, error=error)
    return [ended if one is chosen else one for one in tries]


@given(rules(), st.data())
def test_it_comes_to_an_end_with_no_more_tries_than_allowed(rules, data):
    _, tries = play(rules, data)

    assert sum(not one.is_judging for one in tries) <= rules.candidates + rules.retries


@given(rules(), st.data())
def test_only_a_delivered_result_that_everybody_passed_finishes_a_step(rules, data):
    found, tries = play(rules, data)
    if found.do != Do.FINISH:
        return
    best = tries[found.best - 1]

    assert (best.status, best.is_judging, rules.gated) == ("done", False, False)
    assert not rules.judged or best.score is not None
    assert rules.threshold is None or best.score >= rules.threshold
    assert all(one.score <= best.score for one in tries if one.score is not None)


@given(rules(), st.data())
def test_a_step_fails_only_where_nothing_was_delivered_and_nothing_is_unknown(rules, data):
    found, tries = play(rules, data)
    if found.do != Do.FAIL:
        return

    assert found.code
    assert not any(one.status in {"done", "unknown"} for one in tries if not one.is_judging)


@given(rules(), st.data())
def test_who_holds_says_why_or_proposes_a_result(rules, data):
    found, tries = play(rules, data)
    if found.do != Do.HOLD:
        return

    assert found.code or (rules.gated and found.best is not None)
    assert found.best is None or tries[found.best - 1].status == "done"
    assert (found.best is None) == (not any(one.status == "done" and not one.is_judging for one in tries))


@given(rules(), any_tries())
def test_nobody_waits_for_what_is_not_at_work(rules, tries):
    found = next_for(rules, tries)

    assert found.do != Do.WAIT or {one.status for one in tries} & {"planned", "submitting", "accepted", "settling"}


@given(rules(), any_tries())
def test_nothing_is_decided_for_good_while_something_is_at_work(rules, tries):
    at_work = {one.status for one in tries} & {"planned", "submitting", "accepted", "settling"}

    assert not at_work or next_for(rules, tries).do in {Do.WAIT, Do.TRY_AGAIN}


@given(rules(), any_tries())
def test_no_retry_is_made_that_the_recipe_does_not_allow(rules, tries):
    made = [one for one in tries if not one.is_judging]

    assert next_for(rules, tries).do != Do.TRY_AGAIN or len(made) < rules.candidates + rules.retries
