"""A plan as callers see it: the JSON of the HTTP interface and of the command line."""

from collections.abc import Collection
from dataclasses import asdict, replace
from decimal import Decimal
from typing import Any

from zaps.planned import Plan, PlannedStep


def plan_document(plan: Plan, *, reused: Collection[str] = ()) -> dict[str, Any]:
    """What a run would do and cost at most. Money is a number in USD; the steps `reused` are taken over for none."""
    made = tuple(step for step in plan.steps if step.step_id not in reused)
    paid = replace(plan, steps=made, quote_usd=sum((step.first_usd for step in made), Decimal(0)))
    return {
        "runId": None,
        "status": "planned",
        "slug": plan.slug,
        "version": plan.version,
        "mode": plan.mode,
        **money(paid),
        "steps": [{**_planned_row(step, step.step_id in reused), "prompt": step.prompt} for step in plan.steps],
        "warnings": warnings(plan),
    }


def money(plan: Plan) -> dict[str, float]:
    """What the first attempts cost, what every further try would make of that, and the cap."""
    return {
        "quoteUsd": float(plan.quote_usd),
        "mostUsd": float(plan.most_usd),
        "capUsd": float(plan.cap_usd),
    }


def step_row(step: PlannedStep, status: str) -> dict[str, Any]:
    """One step. `status` is skipped where the recipe does not want it with these inputs."""
    return {
        "stepId": step.step_id,
        "order": step.position,
        "kind": step.kind,
        "provider": step.provider,
        "model": step.model,
        "candidates": step.candidates,
        "quoteUsd": float(step.quote_usd),
        "firstUsd": float(step.first_usd),
        "status": "skipped" if step.skipped else status,
        "parents": list(step.parents),
    }


def _planned_row(step: PlannedStep, is_reused: bool) -> dict[str, Any]:
    return {**step_row(step, "reused"), "firstUsd": 0.0} if is_reused else step_row(step, "planned")


def warnings(plan: Plan) -> list[dict[str, Any]]:
    """What the caller should know, with its place in the recipe."""
    return [asdict(problem) for problem in plan.warnings]
