"""Candidates, further tries, judges and gates: what the plan says, and what is held for them."""

import json
from datetime import date
from decimal import Decimal

import pytest

from core.errors import OverBudget
from zaps.planned import Gate, Judging, PlannedStep, Retrying
from zaps.planning.problems import ModelUnpriced, PriceOutdated, ProviderUnsupported

from .planning import Willing, book, installed, small
from .texts import SMALL, changed

STILL = "  - id: still\n"
CLIP = "    duration_s: 5\n"
FILM = "    inputs: [clip]\n"
CENT = Decimal("0.01")


def with_block(block, behind=STILL):
    return changed(SMALL, behind, f"{behind}    {block}\n")


def first(block, **more):
    return small(with_block(block), **more).steps[0]


def test_a_step_without_any_of_them_is_made_once_and_counts():
    step = small().steps[0]

    assert (step.candidates, step.retry, step.judge, step.gate, step.shared) == (1, Retrying(), None, None, False)


def test_the_first_round_of_every_candidate_and_its_judging_is_quoted():
    made = small(with_block("candidates: 3\n    judge: {criteria: [light]}"), judge_usd=CENT)

    assert (made.steps[0].quote_usd, made.steps[0].first_usd) == (Decimal("0.5"), Decimal("1.53"))
    assert made.quote_usd == Decimal("2.03")


def test_a_sum_that_is_too_high_is_broken_down_by_candidates():
    with pytest.raises(OverBudget) as caught:
        small(with_block("candidates: 16"))

    assert caught.value.extra["quoteUsd"] == 8.5
    assert caught.value.extra["steps"][0] == {
        "stepId": "still", "model": "fal/image.gen", "quoteUsd": 0.5, "candidates": 16, "firstUsd": 8.0,
    }  # fmt: skip


@pytest.mark.parametrize(("block", "threshold"), [
    ("{}", "0.7"),
    ("{threshold: 0.85}", "0.85"),
    ("{min_score: 85}", "0.85"),
    ("{minScore: 1}", "1"),
    ("{threshold: 0}", "0"),
])  # fmt: skip
def test_a_threshold_above_one_is_percent(block, threshold):
    assert first(f"judge: {block}").judge == Judging(threshold=Decimal(threshold))


def test_a_judge_has_its_criteria_and_its_price():
    step = first("judge: {criteria: [pace, light]}", judge_usd=CENT)

    assert step.judge == Judging(criteria=("pace", "light"), quote_usd=CENT)


def test_judging_is_free_in_a_rehearsal():
    assert first("judge: {}", judge_usd=CENT, mode="mock").judge.quote_usd == 0


def test_a_judge_that_is_switched_off_is_none():
    assert first("judge: {enabled: false, criteria: [pace]}").judge is None


@pytest.mark.parametrize(("block", "gate"), [
    ("rlhf: true", Gate(timeout_s=60)),
    ("rlhf: optional", None),
    ("rlhf: false", None),
    ("rlhf: true\n    gate: {timeout_s: 5}", Gate(timeout_s=5)),
    ("rlhf: true\n    gate: {on_timeout: approve}", Gate(timeout_s=60, on_timeout="approve")),
])  # fmt: skip
def test_a_gate_waits_as_long_as_the_recipe_says_or_else_the_installation(block, gate):
    assert first(block, gate_timeout_s=60).gate == gate


def test_a_gate_without_a_time_waits_for_ever():
    assert first("rlhf: true").gate == Gate(timeout_s=None, on_timeout="reject")


def test_a_gate_beside_a_judge_is_where_a_person_decides_when_the_judge_is_not_satisfied():
    step = first("judge: {}\n    gate: {timeout_s: 5, on_timeout: approve}")

    assert step.gate is None
    assert step.judge.hold == Gate(timeout_s=5, on_timeout="approve")


def test_a_film_can_be_judged_and_approved():
    film = small(with_block("rlhf: true\n    judge: {}", behind=FILM), judge_usd=CENT).steps[2]

    assert (film.gate, film.first_usd) == (Gate(), CENT)


def test_a_shared_step_says_so():
    assert first("shared: true").shared is True


@pytest.mark.parametrize(("written", "named", "output"), [
    ("", "", "Zap.mp4"),
    ("", "output: Film.mp4\n", "Film.mp4"),
    ("    stitch: {format: webm}\n", "", "Zap.webm"),
])  # fmt: skip
def test_the_film_is_called_as_the_recipe_says(written, named, output):
    text = changed(SMALL, FILM, FILM + written).replace("version: 2\n", f"version: 2\n{named}")

    assert small(text, mode="mock").output == output


def test_a_recipe_without_clips_gives_what_its_last_step_makes():
    text = SMALL[: SMALL.index("  - id: clip\n")] + "---\n"

    assert small(text, mode="mock").output == "Zap.png"


def test_further_tries_go_where_the_recipe_says_for_what_they_cost_there():
    step = first("retry: {max: 2, backoff_s: 1.5, fallback_model: other}")

    assert step.retry == Retrying(
        max=2,
        backoff_s=Decimal("1.5"),
        fallback_provider="fal",
        fallback_model="other",
        fallback_usd=Decimal("0.3"),
        fallback_price=book().get(("fal", "other", "")),
    )
    assert step.price_at("fal", "other") == step.retry.fallback_price
    assert step.price_at("fal", "fal/image.gen") == step.price == book().get(("fal", "fal/image.gen", ""))
    assert step.price_at("gmi", "other") is None
    assert PlannedStep.from_json(json.loads(json.dumps(step.to_json()))) == step


def test_a_fallback_provider_makes_it_with_its_usual_model():
    retry = first("retry: {max: 1, fallback_provider: mock}").retry

    assert (retry.fallback_provider, retry.fallback_model, retry.fallback_usd) == ("mock", "mock/image.gen", 0)


def test_tries_without_a_fallback_go_to_the_same_place():
    retry = first("retry: {max: 8}").retry

    assert (retry.max, retry.has_fallback) == (8, False)


def test_a_rehearsal_falls_back_to_the_mock():
    retry = first("retry: {max: 1, fallback_provider: vertex, fallback_model: veo}", mode="mock").retry

    assert (retry.fallback_provider, retry.fallback_model, retry.fallback_usd) == ("mock", "veo", 0)


def test_a_caller_who_names_the_provider_names_the_fallbacks_too():
    retry = first("retry: {max: 1, fallback_provider: gmi}", provider="mock").retry

    assert (retry.fallback_provider, retry.fallback_model) == ("mock", "mock/image.gen")


@pytest.mark.parametrize(("block", "error", "path"), [
    ("retry: {max: 1, fallback_model: dear}", ModelUnpriced, "retry.fallback_model"),
    ("retry: {max: 1, fallback_provider: gmi}", ModelUnpriced, "retry.fallback_provider"),
    ("retry: {max: 1, fallback_provider: vertex, fallback_model: veo}", ProviderUnsupported, "retry.fallback_provider"),
    ("retry: {max: 1, fallback_provider: lazy, fallback_model: m}", ProviderUnsupported, "retry.fallback_model"),
    ("retry: {max: 1, fallback_provider: lazy}", ProviderUnsupported, "retry.fallback_provider"),
])  # fmt: skip
def test_a_fallback_that_cannot_be_paid_or_asked_is_refused_by_its_name(block, error, path, monkeypatch):
    monkeypatch.setattr("zaps.recipe.parser.KNOWN_PROVIDERS", ("fal", "gmi", "mock", "vertex", "lazy"))
    everybody = installed(Willing("fal"), Willing("gmi"), Willing("mock"), Willing("lazy", refuses=["image.gen"]))

    with pytest.raises(error) as caught:
        small(with_block(block), providers=everybody)

    assert [problem.path for problem in caught.value.problems] == [f"steps[0].{path}"]


def test_what_a_fallback_complains_about_names_the_fallback():
    class Choosy(Willing):
        def check(self, generation):
            return [("prompt", "It is too long.")] if generation.model == "other" else []

    with pytest.raises(ProviderUnsupported) as caught:
        small(with_block("retry: {max: 1, fallback_model: other}"), providers=installed(Choosy("fal")))

    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.message) == ("steps[0].retry.fallback_model", 12, "It is too long.")


def test_an_old_price_of_a_fallback_stops_a_live_run_and_warns_a_plan():
    text = with_block("provider: mock\n    retry: {max: 1, fallback_provider: fal, fallback_model: other}")
    old = book(verified_at=date(2026, 1, 1))

    with pytest.raises(PriceOutdated) as caught:
        small(text, prices=old)
    assert caught.value.problems[0].path == "steps[0].retry.fallback_model"
    assert small(text, prices=old, mode="plan").warnings[0].path == "steps[0].retry.fallback_model"
