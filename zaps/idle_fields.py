"""Fields that a recipe may hold and that a run does not act on: kept with the recipe, and said so in the plan."""

from collections.abc import Iterator

from core.errors import Problem
from zaps.kind import KINDS
from zaps.recipe.schema import Recipe, StepSpec, Target

_FRAME = {"from": "prev.last_frame"}


def idle_fields(recipe: Recipe) -> list[Problem]:
    """One NOT_ACTED_ON warning for each."""
    paths = [f"steps[{index}].{name}" for index, step in enumerate(recipe.steps) for name in _of_step(step, recipe)]
    if recipe.publish is not None and recipe.publish.embed is not None:
        paths.append("publish.embed")
    return [_warning(path, recipe) for path in paths]


def _of_step(step: StepSpec, recipe: Recipe) -> Iterator[str]:
    kind = KINDS.get(step.kind)
    if step.judge is not None and step.judge.enabled:
        yield "judge"
    if step.candidates is not None and step.candidates > 1:
        yield "candidates"
    if step.retry is not None and (step.retry.max or step.retry.fallback_model or step.retry.fallback_provider):
        yield "retry"
    if step.rlhf not in (None, False):
        yield "rlhf"
    if step.tier is not None:
        yield "tier"
    if step.shared:
        yield "shared"
    if step.repeat is not None and not kind.repeats:
        yield "repeat"
    if step.extend_mode == "anchored" or (step.extend_mode and not kind.repeats):
        yield "extend.mode"
    for name, value in (step.first_frame or {}).items():
        if not kind.repeats or _FRAME.get(name) != value:
            yield f"first_frame.{name}"
    yield from _of_local_blocks(step, is_local=kind.render is not None)
    for number, ref in enumerate(step.inputs):
        if ref.target == Target.INPUT and not recipe.inputs[ref.name].type.is_media:
            yield f"inputs[{number}]"


def _of_local_blocks(step: StepSpec, *, is_local: bool) -> Iterator[str]:
    joins, looks = step.kind == "stitch", step.kind == "keyframes"
    for name in step.keyframes or {}:
        if not looks or name != "count":
            yield f"keyframes.{name}"
    for name in step.audio or {}:
        if not joins or name != "mix":
            yield f"audio.{name}"
    if step.stitch is not None and not joins:
        yield "stitch"
    elif step.stitch is not None:
        if step.stitch.engine == "hyperframes":
            yield "stitch.engine"
        if step.stitch.template is not None:
            yield "stitch.template"
        if step.stitch.inputs is not None:
            yield "stitch.inputs"
    if is_local:
        yield from (name for name in ("prompt", "provider", "model", "params") if getattr(step, name))


def _warning(path: str, recipe: Recipe) -> Problem:
    line, column = recipe.where.get(path, (None, None))
    sentence = f"{path} is kept, and this run does not act on it."
    if "].inputs[" in path:
        sentence = f"{path} is no picture or clip, so the step does not get it; write it as {{NAME}} in the prompt."
    return Problem(code="NOT_ACTED_ON", message=sentence, line=line, column=column, path=path)
