"""How each step of a finished run was really made: by whom, in how many tries, for how much."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from core.money import ZERO
from runs.models import Attempt, Run, Step
from runs.states import AttemptStatus, StepStatus
from zaps.planned import LOCAL

_MOCK = "mock"
_REUSED = "reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One planned step that is done.

    `pass_usd` is what it costs when everything works: every candidate of the round that was chosen from, and judging
    them. `all_usd` is what was really paid, failures and earlier rounds too.
    """

    step_id: str
    recipe_step: str
    kind: str
    planned: tuple[str, str]  # provider and model
    provider: str
    model: str
    seed: int | None
    is_reused: bool  # taken over from an earlier run
    attempts: int
    pass_usd: Decimal
    all_usd: Decimal

    @property
    def at_a_provider(self) -> bool:
        """Did somebody make it whom a recipe can name? The mock makes anything, so it says nothing."""
        return self.provider not in (LOCAL, _MOCK)

    @property
    def by_fallback(self) -> bool:
        """Did another provider or model make it than was planned?"""
        return (self.provider, self.model) != self.planned


def steps_made(run: Run) -> list[Made]:
    """The steps that are done, in recipe order."""
    attempts: dict[int, list[Attempt]] = {}
    for attempt in Attempt.objects.filter(run=run).order_by("number"):
        attempts.setdefault(attempt.step_id, []).append(attempt)
    done = Step.objects.filter(run=run, status=StepStatus.DONE).order_by("position")
    return [_made(step, attempts[step.pk]) for step in done]


def by_recipe_step(made: Sequence[Made]) -> Mapping[str, list[Made]]:
    """What each step of the recipe became, in order."""
    found: dict[str, list[Made]] = {}
    for one in made:
        found.setdefault(one.recipe_step, []).append(one)
    return found


def _made(step: Step, attempts: Sequence[Attempt]) -> Made:
    done = [one for one in attempts if one.status == AttemptStatus.DONE and one.role == "make"]
    chosen = next((one for one in done if one.pk == step.chosen_id), done[-1])
    clean = [one for one in attempts if one.round == chosen.round and one.status == AttemptStatus.DONE]
    quote_usd = Decimal(step.spec["quote_usd"])
    return Made(
        step_id=step.step_id,
        recipe_step=step.spec["recipe_step"],
        kind=step.kind,
        planned=(step.spec["provider"], step.spec["model"] or ""),
        provider=chosen.provider,
        model=chosen.model,
        seed=chosen.seed,
        is_reused=chosen.cost_source == _REUSED,
        attempts=sum(one.role == "make" and one.cost_source != _REUSED for one in attempts),
        pass_usd=sum((_worth(one, quote_usd) for one in clean), ZERO),
        all_usd=sum((one.actual_usd or ZERO for one in attempts), ZERO),
    )


def _worth(attempt: Attempt, quote_usd: Decimal) -> Decimal:
    """What it would cost to make: a result that was taken over cost nothing here, and somebody something before."""
    if attempt.cost_source == _REUSED:
        return quote_usd
    return attempt.actual_usd if attempt.actual_usd is not None else attempt.quote_usd
