"""Several verdicts on one file as one."""

import pickle
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs.faults import FAULTS
from runs.judges import JudgeRefused, JudgeUnavailable, Verdict, combine

SCORES = st.decimals(0, 1, places=3)
NAMES = st.sampled_from(["decodes", "a fox", "light", "pace"])


@st.composite
def verdicts(draw):
    scores = draw(st.dictionaries(NAMES, SCORES, min_size=1, max_size=3))
    unjudged = draw(st.lists(NAMES.filter(lambda name: name not in scores), unique=True, max_size=2))
    return Verdict(
        overall=min(scores.values()),
        scores=scores,
        rater=draw(st.sampled_from(["heuristic", "vlm"])),
        judge=draw(st.sampled_from(["heuristic", "a model"])),
        remarks=draw(st.text(max_size=500)),
        unjudged=tuple(unjudged),
        usd=draw(st.decimals(0, 5, places=6)),
        cost_source=draw(st.sampled_from(["none", "quoted", "derived", "reported"])),
    )


def verdict(overall, **more):
    return Verdict(**{"overall": Decimal(overall), "scores": {}, "rater": "vlm", "judge": "m", **more})


def test_a_file_that_does_not_decode_cannot_be_liked():
    broken = verdict("0", scores={"decodes": Decimal(0)}, rater="heuristic", judge="heuristic", unjudged=("a fox",))
    liked = verdict("1", scores={"a fox": Decimal(1)})

    both = combine([broken, liked])

    assert both.overall == 0
    assert both.scores == {"decodes": Decimal(0), "a fox": Decimal(1)}
    assert both.unjudged == ()
    assert (both.rater, both.judge) == ("vlm", "heuristic, m")


def test_a_criterion_named_like_a_measure_is_judged_by_who_looked_at_it():
    measured = verdict("1", scores={"decodes": Decimal(1)}, unjudged=("decodes",))

    assert combine([measured]).unjudged == ("decodes",)
    assert combine([measured, verdict("1", scores={"decodes": Decimal(1)})]).unjudged == ()


def test_remarks_are_joined_and_kept_short():
    said = combine([verdict("1", remarks="a" * 300), verdict("1"), verdict("1", remarks="b" * 300)]).remarks

    assert said == "a" * 300 + " " + "b" * 199


def test_a_verdict_needs_somebody():
    with pytest.raises(ValueError, match="nothing to combine"):
        combine([])


def test_the_cost_is_added_and_is_as_certain_as_its_least_certain_part():
    paid = [verdict("1", usd=Decimal("0.002"), cost_source=source) for source in ("reported", "quoted", "derived")]

    both = combine([*paid, verdict("1")])

    assert both.usd == Decimal("0.006")
    assert both.cost_source == "quoted"
    assert combine([verdict("1"), paid[0]]).cost_source == "reported"


@given(st.lists(verdicts(), min_size=1, max_size=4))
def test_no_judge_lifts_what_another_one_saw(given_verdicts):
    together = combine(given_verdicts)

    for one in given_verdicts:
        assert together.overall <= one.overall
        assert all(together.scores[name] <= score for name, score in one.scores.items())
    assert together.overall in {one.overall for one in given_verdicts}
    assert len(together.remarks) <= 500
    assert set(together.unjudged).isdisjoint(together.scores)


@given(st.lists(verdicts(), min_size=2, max_size=3))
def test_the_order_and_the_grouping_change_no_score(given_verdicts):
    first, *rest = given_verdicts

    seen = [combine(order) for order in permutations(given_verdicts)]
    seen.append(combine([first, combine(rest)]))

    assert len({(one.overall, frozenset(one.scores.items()), frozenset(one.unjudged), one.usd) for one in seen}) == 1


@pytest.mark.parametrize("kind", [JudgeUnavailable, JudgeRefused])
def test_an_error_survives_the_way_to_another_process(kind):
    error = kind("It said nothing.", retry_after_s=7, usd=Decimal("0.01"), cost_source="quoted")

    again = pickle.loads(pickle.dumps(error))

    assert type(again) is kind
    assert (again.detail, again.retry_after_s, again.usd, again.cost_source) == (
        "It said nothing.", 7, Decimal("0.01"), "quoted",
    )  # fmt: skip


@pytest.mark.parametrize("kind", [JudgeUnavailable, JudgeRefused])
def test_an_error_has_words_for_the_tables(kind):
    fault = FAULTS[kind.code]

    assert fault.retryable is kind.retryable
    assert "judge" in fault.message
