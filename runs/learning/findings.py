"""From what runs add up to, to what to change: rules with numbers, no guesses. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from runs.faults import explain
from runs.learning.facts import Facts, Scores, StepFacts
from zaps.planned import LOCAL

_OFTEN = 0.2  # of the attempts or runs: worth a word
_MOSTLY = 0.6
_NEARLY_ALWAYS = 0.9
_HALF = 0.5
_OFF = Decimal("1.1")  # a tenth above
_FEW, _SOME = 3, 10  # fewer say nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing worth changing. `code` is stable; `step` is "" for the whole recipe."""

    code: str
    step: str
    message: str
    suggestion: str


def find(facts: Facts) -> list[Finding]:
    """What stands out, the whole recipe first, then by step. Money, time and judges mean nothing in mock runs."""
    found = [*_of_outcomes(facts), *(_of_money(facts) if facts.mode == "live" else ())]
    for step in facts.steps:
        found += _of_failures(step)
        if facts.mode == "live":
            found += [*_of_fallback(step), *_of_candidates(step), *_of_judge(step), *_of_shares(step, facts)]
        found += _of_votes(step)
    return found


def _of_outcomes(facts: Facts) -> Iterator[Finding]:
    ended = facts.runs.done + facts.runs.failed
    if facts.runs.failed >= _FEW and facts.runs.failed / ended >= _OFTEN:
        yield Finding(
            code="RUNS_FAIL",
            step="",
            message=f"{facts.runs.failed} of {ended} runs failed ({_percent(facts.runs.failed / ended)}).",
            suggestion="Begin with the step whose attempts fail most, below.",
        )


def _of_money(facts: Facts) -> Iterator[Finding]:
    cost = facts.runs.cost_usd
    if cost is None:
        return
    estimate, quote = facts.estimate_usd, facts.runs.quote_usd
    if estimate is not None and cost.median > estimate * _OFF:
        yield Finding(
            code="ESTIMATE_LOW",
            step="",
            message=f"budget.estimate_usd is {_usd(estimate)}, and a run costs {_usd(cost.median)} (median).",
            suggestion=f"Set budget.estimate_usd to {_usd(cost.median)}; `zap compile RUN` does.",
        )
    if estimate is not None and facts.runs.done >= _FEW and cost.p95 * 2 < estimate:
        yield Finding(
            code="ESTIMATE_HIGH",
            step="",
            message=f"budget.estimate_usd is {_usd(estimate)}, and hardly a run costs more than {_usd(cost.p95)}.",
            suggestion=f"Set budget.estimate_usd to {_usd(cost.median)}, so that nobody is frightened off.",
        )
    if quote and cost.median > quote * _OFF:
        yield Finding(
            code="COST_ABOVE_QUOTE",
            step="",
            message=f"A run is quoted at {_usd(quote)} and costs {_usd(cost.median)} (medians).",
            suggestion="Look for retries below; without any, renew the model's price in the price book.",
        )


def _of_failures(step: StepFacts) -> Iterator[Finding]:
    share = step.failed_attempts / step.attempts if step.attempts else 0.0
    if step.failed_attempts < _FEW or share < _OFTEN:
        return
    code, count = next(iter(step.failures.items()))
    fault, retries = explain(code), (step.spec.get("retry") or {}).get("max", 0)
    may_pass = fault.retryable and not retries
    yield Finding(
        code="STEP_FAILS",
        step=step.step,
        message=f"{step.step} failed in {step.failed_attempts} of {step.attempts} attempts ({_percent(share)}), "
        f"{count} of them with {code}: {fault.message}",
        suggestion="It may pass: let the step be tried again, `retry: {max: 2}`." if may_pass else fault.remediation,
    )


def _of_fallback(step: StepFacts) -> Iterator[Finding]:
    if step.by_fallback >= _FEW and step.by_fallback / step.attempts >= _OFTEN:
        yield Finding(
            code="FALLBACK_OFTEN",
            step=step.step,
            message=f"{step.by_fallback} of {step.attempts} attempts at {step.step} went to its fallback.",
            suggestion="Let the fallback be the first choice; `zap compile RUN` does, from a run that ended with it.",
        )


def _of_candidates(step: StepFacts) -> Iterator[Finding]:
    asked = step.spec.get("candidates", 1)
    if asked > 1 and step.choices >= _SOME and step.first_chosen / step.choices >= _NEARLY_ALWAYS:
        share = _percent(step.first_chosen / step.choices)
        yield Finding(
            code="CANDIDATES_UNUSED",
            step=step.step,
            message=f"{step.step} makes {asked} candidates, and the first one is chosen in {share} of the cases.",
            suggestion="Make fewer candidates, or judge them by criteria that tell them apart.",
        )


def _of_judge(step: StepFacts) -> Iterator[Finding]:
    scores: Scores | None = step.scores
    if step.judge_failures >= _FEW:
        yield Finding(
            code="JUDGE_SILENT",
            step=step.step,
            message=f"{step.step}'s judge could not say anything {step.judge_failures} times.",
            suggestion="Look at the judge's service; what it cannot judge waits for a person.",
        )
    if scores is None or scores.passed_share is None or scores.count < _SOME:
        return
    if scores.passed == scores.count:
        yield Finding(
            code="JUDGE_PASSES_ALL",
            step=step.step,
            message=f"{step.step}'s judge passed all {scores.count} results, the worst at {_plain(scores.least)}.",
            suggestion=f"Raise judge.threshold above {_plain(scores.least)}, name sharper criteria, or do without it.",
        )
    elif scores.passed_share < _HALF:
        yield Finding(
            code="JUDGE_PASSES_FEW",
            step=step.step,
            message=f"{step.step}'s judge passed {scores.passed} of {scores.count} results.",
            suggestion=f"Change the prompt or the model, or lower judge.threshold: half score {_plain(scores.median)}.",
        )


def _of_shares(step: StepFacts, facts: Facts) -> Iterator[Finding]:
    if len(facts.steps) < 2 or step.done < _FEW or step.spec.get("provider") == LOCAL:
        return
    if step.time_share >= _MOSTLY and not step.spec.get("shared"):
        yield Finding(
            code="STEP_SLOW",
            step=step.step,
            message=f"{step.step} takes {_percent(step.time_share)} of the steps' time and is not shared.",
            suggestion="Where its inputs are often the same, say `shared: true`; else make it shorter or faster.",
        )
    if step.cost_share >= _MOSTLY:
        yield Finding(
            code="STEP_DEAR",
            step=step.step,
            message=f"{step.step} takes {_percent(step.cost_share)} of the money, {_usd(step.cost_usd)} in all.",
            suggestion="Try a cheaper model, fewer candidates or fewer seconds there first.",
        )


def _of_votes(step: StepFacts) -> Iterator[Finding]:
    up, down = step.votes.up, step.votes.down
    if down >= _FEW and down > up:
        yield Finding(
            code="DISLIKED",
            step=step.step,
            message=f"{step.step} has {down} votes against it and {up} for it.",
            suggestion="Read what people said, and change its prompt.",
        )


def _percent(share: float) -> str:
    return f"{share:.0%}"


def _usd(amount: Decimal) -> str:
    return f"{_plain(amount)} USD"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
