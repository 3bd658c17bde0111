"""A plan as callers see it: the JSON of the HTTP interface and of the command line."""

from dataclasses import asdict
from typing import Any

from zaps.planned import Plan, PlannedStep


def plan_document(plan: Plan) -> dict[str, Any]:
    """What a run would do and cost at most. Money is a number in USD."""
    return {
        "runId": None,
        "status": "planned",
        "slug": plan.slug,
        "version": plan.version,
        "mode": plan.mode,
        **money(plan),
        "steps": [{**step_row(step, "planned"), "prompt": step.prompt} for step in plan.steps],
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


def warnings(plan: Plan) -> list[dict[str, Any]]:
    """What the caller should know, with its place in the recipe."""
    return [asdict(problem) for problem in plan.warnings]
