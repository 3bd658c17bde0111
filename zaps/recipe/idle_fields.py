"""Fields that a recipe may hold and that a run does not act on: kept with the recipe, and said so in the plan."""

from collections.abc import Iterator

from core.errors import Problem
from zaps.kind import KINDS, StepKind
from zaps.recipe.schema import Recipe, StepSpec, Stitch, Target

_FRAME = {"from": "prev.last_frame"}


def idle_fields(recipe: Recipe) -> list[Problem]:
    """One NOT_ACTED_ON warning for each."""
    paths = [f"steps[{index}].{name}" for index, step in enumerate(recipe.steps) for name in _of_step(step, recipe)]
    if recipe.publish is not None and recipe.publish.embed is not None:
        paths.append("publish.embed")
    return [_warning(path, recipe) for path in paths]


def _of_step(step: StepSpec, recipe: Recipe) -> Iterator[str]:
    kind = KINDS.get(step.kind)
    yield from _later(step)
    yield from _of_repeat(step, kind)
    yield from _of_records(step)
    if step.stitch is not None:
        yield from _of_stitch(step.stitch) if step.kind == "stitch" else ["stitch"]
    if kind.render is not None:
        yield from (name for name in ("prompt", "provider", "model", "params") if getattr(step, name))
    for number, ref in enumerate(step.inputs):
        if ref.target == Target.INPUT and not recipe.inputs[ref.name].type.is_media:
            yield f"inputs[{number}]"


def _later(step: StepSpec) -> list[str]:
    retry = step.retry
    asked = {
        "judge": step.judge is not None and step.judge.enabled,
        "candidates": (step.candidates or 1) > 1,
        "retry": retry is not None and bool(retry.max or retry.fallback_model or retry.fallback_provider),
        "rlhf": bool(step.rlhf),
        "tier": step.tier is not None,
        "shared": bool(step.shared),
    }
    return [name for name, is_asked in asked.items() if is_asked]


def _of_repeat(step: StepSpec, kind: StepKind) -> Iterator[str]:
    if step.repeat is not None and not kind.repeats:
        yield "repeat"
    if step.extend_mode is not None and (step.extend_mode == "anchored" or not kind.repeats):
        yield "extend.mode"
    for name, value in (step.first_frame or {}).items():
        if not kind.repeats or _FRAME.get(name) != value:
            yield f"first_frame.{name}"


def _of_records(step: StepSpec) -> Iterator[str]:
    for record, values, kind, acted_on in (
        ("keyframes", step.keyframes, "keyframes", "count"),
        ("audio", step.audio, "stitch", "mix"),
    ):
        for name in values or {}:
            if step.kind != kind or name != acted_on:
                yield f"{record}.{name}"


def _of_stitch(stitch: Stitch) -> list[str]:
    asked = {
        "stitch.engine": stitch.engine == "hyperframes",
        "stitch.template": stitch.template is not None,
        "stitch.inputs": stitch.inputs is not None,
    }
    return [name for name, is_asked in asked.items() if is_asked]


def _warning(path: str, recipe: Recipe) -> Problem:
    line, column = recipe.where.get(path, (None, None))
    sentence = f"{path} is kept, and this run does not act on it."
    if "].inputs[" in path:
        sentence = f"{path} is no picture or clip, so the step does not get it; write it as {{NAME}} in the prompt."
    return Problem(code="NOT_ACTED_ON", message=sentence, line=line, column=column, path=path)
