"""What becomes of a step when a try at it has ended: pure, from its tries and what judges said of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from runs.faults import explain
from runs.states import AttemptStatus
from zaps.planned import PlannedStep

_AT_WORK = frozenset({AttemptStatus.PLANNED, AttemptStatus.SUBMITTING, AttemptStatus.ACCEPTED, AttemptStatus.SETTLING})
_UNKNOWN = "SUBMISSION_UNKNOWN"
_NEVER_AGAIN = {_UNKNOWN, ""}  # it may have been bought, so that another one would be bought twice; or it was stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the recipe wants of a step."""

    candidates: int = 1
    retries: int = 0
    has_fallback: bool = False
    judged: bool = False  # someone looks at the results: the recipe says so, or there are several
    threshold: Decimal | None = None  # what the best must reach; None: being the best is enough
    gated: bool = False

    @classmethod
    def of(cls, planned: PlannedStep) -> "Rules":
        """The rules of a planned step."""
        return cls(
            candidates=planned.candidates,
            retries=planned.retry.max,
            has_fallback=planned.retry.has_fallback,
            judged=planned.judge is not None or planned.candidates > 1,
            threshold=planned.judge.threshold if planned.judge else None,
            gated=planned.gate is not None,
        )

    def without_retries(self) -> "Rules":
        """The same, where nothing more can be made."""
        return replace(self, retries=0)

    @property
    def are_simple(self) -> bool:
        """Is there one try and nobody to ask about it?"""
        return self.candidates == 1 and not (self.retries or self.judged or self.gated)


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One attempt of the step's present round. `score` is None until a judge has looked; 0 to 1."""

    number: int
    status: str
    is_judging: bool = False
    is_sought: bool = False  # nobody knows its fate yet, and its provider is being asked
    error: str = ""
    is_fallback: bool = False
    score: Decimal | None = None


class Do(StrEnum):
    """What should happen to the step."""

    WAIT = "wait"  #: something is at work
    TRY_AGAIN = "try_again"  #: one further attempt
    JUDGE = "judge"  #: somebody has to look at what is there
    HOLD = "hold"  #: a person must decide
    FINISH = "finish"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What should happen, and, as far as it applies, the number of the best try and the stable code of the trouble."""

    do: Do
    best: int | None = None
    code: str = ""


def next_for(rules: Rules, tries: Sequence[Try]) -> Next:
    """Pure: what becomes of a step with these tries, oldest first."""
    made = [one for one in tries if not one.is_judging]
    if _wants_another(rules, made):
        return Next(do=Do.TRY_AGAIN)
    if any(one.status in _AT_WORK or one.is_sought for one in tries):
        return Next(do=Do.WAIT)
    delivered = [one for one in made if one.status == AttemptStatus.DONE]
    if not delivered:
        return _nothing(made)
    if rules.judged:
        return _judged(rules, tries, made, delivered)
    return _gate(rules, delivered[0])


def _wants_another(rules: Rules, made: Sequence[Try]) -> bool:
    """Is a failure to be made good? Each that may pass, or that a fallback may mend, is worth one further try."""
    lost = [one for one in made if one.status in {AttemptStatus.FAILED, AttemptStatus.CANCELED}]
    if len(made) - len(lost) >= rules.candidates:
        return False
    used = len(made) - rules.candidates
    return used < rules.retries and sum(_is_worth_it(rules, one) for one in lost) > used


def _is_worth_it(rules: Rules, failed: Try) -> bool:
    if failed.error in _NEVER_AGAIN:
        return False
    return explain(failed.error).retryable or (rules.has_fallback and not failed.is_fallback)


def _nothing(made: Sequence[Try]) -> Next:
    if any(one.status == AttemptStatus.UNKNOWN for one in made):
        return Next(do=Do.HOLD, code=_UNKNOWN)
    failed = [one for one in made if one.status == AttemptStatus.FAILED]
    if failed and failed[-1].error == "BUDGET_EXCEEDED":
        return Next(do=Do.HOLD, code=failed[-1].error)
    return Next(do=Do.FAIL, code=(failed[-1].error or "POLL_DEADLINE_EXCEEDED") if failed else "CANCELED")


def _judged(rules: Rules, tries: Sequence[Try], made: Sequence[Try], delivered: Sequence[Try]) -> Next:
    best = _best(rules, delivered)
    unseen = [one for one in delivered if one.score is None]
    if unseen:
        looked = [one for one in tries if one.is_judging and one.number > unseen[-1].number]
        if not looked:
            return Next(do=Do.JUDGE, best=best.number)
        return Next(do=Do.HOLD, best=best.number, code=looked[-1].error or "JUDGE_UNAVAILABLE")
    if rules.threshold is not None and (best.score or Decimal(0)) < rules.threshold:
        if _may_turn_out_better(rules, made):
            return Next(do=Do.TRY_AGAIN)
        return Next(do=Do.HOLD, best=best.number, code="JUDGE_FAILED")
    return _gate(rules, best)


def _best(rules: Rules, delivered: Sequence[Try]) -> Try:
    """The highest score, of equals the first. What nobody has seen ranks as if it were just good enough."""
    unseen = rules.threshold or Decimal(0)
    return max(delivered, key=lambda one: (unseen if one.score is None else one.score, -one.number))


def _may_turn_out_better(rules: Rules, made: Sequence[Try]) -> bool:
    """Not where the newest was refused for good, or while one that was paid for perhaps may still turn up."""
    if any(one.status == AttemptStatus.UNKNOWN or one.error == _UNKNOWN for one in made):
        return False
    newest = made[-1]
    refused = newest.status == AttemptStatus.FAILED and not _is_worth_it(rules, newest)
    return not refused and len(made) - rules.candidates < rules.retries


def _gate(rules: Rules, best: Try) -> Next:
    return Next(do=Do.HOLD if rules.gated else Do.FINISH, best=best.number)
