from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.learning.facts import Facts, RunFacts, Scores, Spread, StepFacts, Votes
from runs.learning.findings import find

FINE = {
    "kind": "video.gen", "done": 20, "failed": 0, "skipped": 0, "attempts": 20, "failures": {}, "retries": 0,
    "by_fallback": 0, "reused": 0, "results": 20, "choices": 0, "first_chosen": 0, "judge_failures": 0,
    "cost_usd": Decimal(10), "cost_share": 0.5, "seconds": Decimal(100), "time_share": 0.5, "median_s": Decimal(5),
    "scores": None, "votes": Votes(), "spec": {"provider": "fal", "retry": {"max": 0}},
}  # fmt: skip


def step(name="clip", **changes):
    return StepFacts(step=name, **{**FINE, **changes})


def spread(median, p95=None):
    return Spread(least=Decimal(0), median=Decimal(median), p95=Decimal(p95 or median))


def facts(*steps, mode="live", estimate="1", cost="1", p95=None, quote="1", **runs):
    return Facts(
        mode=mode,
        estimate_usd=None if estimate is None else Decimal(estimate),
        runs=RunFacts(
            **{"done": 20, "failed": 0, "canceled": 0, "open": 0, **runs},
            total_usd=Decimal(20),
            quote_usd=Decimal(quote),
            cost_usd=None if cost is None else spread(cost, p95),
            wall_s=spread("60"),
        ),
        votes=Votes(),
        steps=(*steps, step("still")),
    )


def codes(*args, **more):
    return [one.code for one in find(facts(*args, **more))]


def test_where_all_is_well_there_is_nothing_to_say():
    assert codes(step()) == []


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"estimate": "0.5", "cost": "0.9"}, ["ESTIMATE_LOW"]),
        ({"estimate": "0.5", "cost": "0.55"}, []),
        ({"estimate": "0.5", "cost": "0.56"}, ["ESTIMATE_LOW"]),
        ({"estimate": None, "cost": "0.9"}, []),
        ({"estimate": "3", "p95": "1.4"}, ["ESTIMATE_HIGH"]),
        ({"estimate": "3", "p95": "1.6"}, []),
        ({"estimate": "3", "p95": "1.4", "done": 2}, []),
        ({"estimate": "3", "cost": "2", "quote": "1"}, ["COST_ABOVE_QUOTE"]),
        ({"cost": None, "estimate": "9"}, []),
        ({"failed": 5}, ["RUNS_FAIL"]),
        ({"failed": 4}, []),
        ({"failed": 2, "done": 0}, []),
        ({"mode": "mock", "estimate": "0.5", "cost": "0.9"}, []),
    ],
)
def test_what_the_runs_say_of_the_whole_recipe(more, found):
    assert codes(**more) == found


def test_a_step_that_fails_often_is_named_with_its_most_frequent_reason():
    failing = step(attempts=10, failures={"CONTENT_REFUSED": 3, "PROVIDER_FAILED": 1})

    [found] = find(facts(failing))

    assert (found.code, found.step) == ("STEP_FAILS", "clip")
    assert found.message.startswith("clip failed in 4 of 10 attempts (40%), 3 of them with CONTENT_REFUSED: ")
    assert found.suggestion == "Change the prompt or the picture."


@pytest.mark.parametrize(("most", "retried"), [(0, True), (1, False)])
def test_what_may_pass_is_to_be_tried_again(most, retried):
    failing = step(attempts=10, failures={"PROVIDER_UNAVAILABLE": 4}, spec={"retry": {"max": most}})

    [found] = find(facts(failing, mode="mock"))

    assert ("retry: {max: 2}" in found.suggestion) is retried


CHOOSY = {"provider": "fal", "candidates": 3}
JUDGED = {"provider": "fal", "judge": {"threshold": "0.7"}}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"attempts": 20, "failures": {"X": 3}}, []),
        ({"attempts": 2, "failures": {"X": 2}}, []),
        ({"attempts": 0}, []),
        ({"by_fallback": 4}, ["FALLBACK_OFTEN"]),
        ({"by_fallback": 3}, []),
        ({"spec": CHOOSY, "choices": 20, "first_chosen": 19}, ["CANDIDATES_UNUSED"]),
        ({"spec": CHOOSY, "choices": 20, "first_chosen": 17}, []),
        ({"spec": CHOOSY, "choices": 9, "first_chosen": 9}, []),
        ({"spec": {"candidates": 1}, "choices": 20, "first_chosen": 20}, []),
        ({"judge_failures": 3}, ["JUDGE_SILENT"]),
        ({"time_share": 0.8}, ["STEP_SLOW"]),
        ({"time_share": 0.8, "spec": {"shared": True}}, []),
        ({"time_share": 0.8, "spec": {"provider": "local"}}, []),
        ({"time_share": 0.8, "done": 2}, []),
        ({"cost_share": 0.8}, ["STEP_DEAR"]),
        ({"votes": Votes(up=2, down=3)}, ["DISLIKED"]),
        ({"votes": Votes(up=3, down=3)}, []),
    ],
)
def test_what_the_runs_say_of_a_step(changes, found):
    assert codes(step(**changes)) == found


@pytest.mark.parametrize(
    ("count", "passed", "found"),
    [(10, 10, ["JUDGE_PASSES_ALL"]), (9, 9, []), (10, 9, []), (10, 5, []), (10, 4, ["JUDGE_PASSES_FEW"])],
)
def test_a_judge_that_tells_nothing_apart_is_named(count, passed, found):
    scores = Scores(count=count, least=Decimal("0.80"), median=Decimal("0.9"), passed=passed)

    assert codes(step(scores=scores, spec=JUDGED)) == found
    assert codes(step(scores=replace(scores, passed=None))) == []


def test_mock_runs_say_nothing_of_money_time_and_judges():
    odd = step(
        time_share=0.9, cost_share=0.9, judge_failures=9, by_fallback=9, spec=CHOOSY, choices=20, first_chosen=20
    )

    assert codes(odd, mode="mock") == []


_counts = st.integers(0, 30)


@given(
    st.builds(
        step,
        done=_counts, attempts=_counts, by_fallback=_counts, choices=_counts, first_chosen=_counts,
        judge_failures=_counts, cost_share=st.floats(0, 1), time_share=st.floats(0, 1),
        failures=st.dictionaries(st.sampled_from(["CONTENT_REFUSED", "JOB_LOST", "ODD"]), st.integers(1, 9)),
        votes=st.builds(Votes, up=_counts, down=_counts), spec=st.sampled_from([{}, CHOOSY, JUDGED]),
        scores=st.none() | st.builds(Scores, count=st.integers(1, 30), least=st.decimals(0, 1, places=2),
                                     median=st.decimals(0, 1, places=2), passed=_counts),
    )
)  # fmt: skip
def test_every_finding_says_what_and_what_to_do(one):
    one = replace(one, attempts=one.attempts + one.failed_attempts + one.by_fallback)

    for found in find(facts(one)):
        assert found.code.isupper()
        assert found.step == "clip"
        assert found.message.endswith(".")
        assert found.suggestion.endswith(("`.", "."))


def test_a_step_that_has_its_own_name_twice_is_still_two():
    frames = replace(step("clip"), kind="image.upscale", time_share=0.9)

    assert codes(step(), frames) == ["STEP_SLOW"]
