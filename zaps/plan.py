"""What a run will do and cost, worked out before anything is done. Pure: no clock, file, network or database."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import BadInput, OverBudget, Problem
from core.money import ZERO, usd
from zaps.equip import Equipment
from zaps.expand import Expansion
from zaps.kind import KINDS
from zaps.planned import Plan, PlannedStep, Source
from zaps.planning.choice import MOCK, Choice, Providers
from zaps.planning.oversight import Oversight
from zaps.planning.problems import FieldRefused, Problems
from zaps.planning.quotes import Prices, Quotes
from zaps.recipe.refused import film_format, refused
from zaps.recipe.schema import REPEAT_AT_MOST, Recipe
from zaps.values import check_values

STEPS_AT_MOST = 500


def make_plan(  # noqa: PLR0913 (each is one thing that the caller decides)
    recipe: Recipe,
    *,
    inputs: Mapping[str, Any],
    mode: str,
    extend_count: int | None = None,
    provider: str | None = None,
    max_usd: Decimal | None = None,
    judge_usd: Decimal = ZERO,
    gate_timeout_s: int | None = None,
    providers: Providers,
    prices: Prices,
    today: date,
) -> Plan:
    """The steps of a run, in an order in which they can run, with a quote for each.

    `mode` is plan, mock or live; mock puts every step on the free provider, plan quotes as live would. `extend_count`
    None means what the recipe says. `provider` overrides every step's. The cap is the recipe's, or the lower `max_usd`.
    `judge_usd` is for looking at one result; `gate_timeout_s` is how long a person is waited for where the recipe does
    not say, None for ever.

    Raises FieldRefused for what no run can act on, BadInput for wrong inputs, ProviderUnsupported where nobody can make
    a step, ModelUnpriced and PriceOutdated where a price is missing or (live) too old, and OverBudget where the steps
    together cost more than the cap.
    """
    _check_request(mode, extend_count, max_usd)
    _raise_if_any(refused(recipe), FieldRefused)
    values, problems = check_values(recipe, inputs)
    _raise_if_any(problems)
    oversight = Oversight(judge_usd=ZERO if mode == MOCK else usd(judge_usd), gate_timeout_s=gate_timeout_s)
    expansion = Expansion(recipe, values, extend_count=extend_count, oversight=oversight)
    _raise_if_any(expansion.problems or _check_steps(recipe, expansion.planned))
    noted = Problems(recipe)
    equipment = Equipment(
        recipe=recipe,
        values=values,
        choice=Choice(recipe=recipe, mode=mode, override=provider, providers=providers, problems=noted),
        quotes=Quotes(mode=mode, prices=prices, providers=providers, today=today, problems=noted),
        problems=noted,
    )
    steps = tuple(equipment.equip(index, step) for index, step in expansion.planned)
    noted.raise_if_any()
    cap = recipe.cap_usd if max_usd is None else min(recipe.cap_usd, usd(max_usd))
    total = sum((step.first_usd for step in steps), ZERO)
    if total > cap:
        raise _over_budget(steps, total, cap)
    return Plan(
        slug=recipe.slug,
        version=recipe.version,
        mode=str(mode),
        steps=steps,
        inputs=values,
        quote_usd=total,
        cap_usd=cap,
        warnings=tuple(noted.warnings),
        output=recipe.output or f"Zap.{film_format(recipe)}",
    )


def _check_request(mode: str, extend_count: int | None, max_usd: Decimal | None) -> None:
    problems = []
    if mode not in ("plan", "mock", "live"):
        problems.append(Problem(code="PARAMETER_INVALID", message="mode is plan, mock or live.", path="mode"))
    if extend_count is not None and not 0 <= extend_count <= REPEAT_AT_MOST:
        message = f"extendCount is a whole number from 0 to {REPEAT_AT_MOST}."
        problems.append(Problem(code="PARAMETER_INVALID", message=message, path="extendCount"))
    if max_usd is not None and not (max_usd.is_finite() and max_usd >= 0):
        problems.append(
            Problem(code="PARAMETER_INVALID", message="maxUsd is a number of dollars, from 0.", path="maxUsd")
        )
    _raise_if_any(problems)


def _check_steps(recipe: Recipe, planned: list[tuple[int, PlannedStep]]) -> list[Problem]:
    if len(planned) > STEPS_AT_MOST:
        message = f"The recipe becomes {len(planned)} steps; a run has at most {STEPS_AT_MOST}."
        return [Problem(code="PLAN_TOO_LARGE", message=message, path="extendCount")]
    if all(step.skipped for _, step in planned):
        return [recipe.problem("PLAN_EMPTY", "steps", "Nothing is made: no step's `when` is met, or all counts are 0.")]
    makes = {step.step_id: KINDS.get(step.kind).makes for _, step in planned}
    problems = []
    for index, step in planned:
        made = {makes[ref.name] for ref in step.inputs if ref.source == Source.STEP}
        if KINDS.get(step.kind).render is not None and not step.skipped and "mp4" not in made:
            message = f"{step.step_id} has no clip to work on: what it refers to is not made, or repeated no times."
            problems.append(recipe.problem("RECIPE_NO_VIDEO", f"steps[{index}]", message))
    return problems


def _raise_if_any(problems: list[Problem], kind: type[BadInput] = BadInput) -> None:
    if problems:
        raise kind(problems[0].message, problems=problems)


def _over_budget(steps: tuple[PlannedStep, ...], total: Decimal, cap: Decimal) -> OverBudget:
    parts = [
        {
            "stepId": step.step_id,
            "model": step.model,
            "quoteUsd": float(step.quote_usd),
            "candidates": step.candidates,
            "firstUsd": float(step.first_usd),
        }
        for step in steps
        if step.first_usd
    ]
    sentence = f"The steps cost {total.normalize():f} USD together, and the cap is {cap.normalize():f} USD."
    return OverBudget(sentence, quoteUsd=float(total), capUsd=float(cap), steps=parts)
