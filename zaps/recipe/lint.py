"""What a recipe may do and probably should not: hints for its author. None of them makes it invalid."""

from collections.abc import Iterator
from decimal import Decimal

from core.errors import Problem
from zaps.kind import KINDS
from zaps.recipe.check import made_by
from zaps.recipe.idle_fields import idle_fields
from zaps.recipe.prompts import variables
from zaps.recipe.schema import Recipe, Repeat, StepSpec, Target

_FAR_ABOVE = 5
_NEEDS_MEDIA = {"image.edit": ("png", "a picture"), "video.edit": ("mp4", "a clip"), "video.upscale": ("mp4", "a clip")}


def lint(recipe: Recipe) -> list[Problem]:
    """Warnings in no particular severity, [] for a tidy recipe."""
    found = [*_of_whole(recipe), *_unused_inputs(recipe), *_unused_prompts(recipe), *_unused_steps(recipe)]
    for index, step in enumerate(recipe.steps):
        found += [(code, f"steps[{index}]{where}", message) for code, where, message in _of_step(recipe, step)]
    return [_warning(recipe, *one) for one in found] + idle_fields(recipe)


def _warning(recipe: Recipe, code: str, path: str, message: str) -> Problem:
    line, column = recipe.where.get(path) or recipe.where.get(path.rpartition(".")[0]) or (None, None)
    return Problem(code=code, message=message, line=line, column=column, path=path)


def _of_whole(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    clips = [step for step in recipe.steps if KINDS.get(step.kind).makes == "mp4"]
    if clips and not any(step.kind == "stitch" for step in recipe.steps):
        yield "LINT_NO_STITCH", "steps", "No step stitches the clips, so the run's film is its last clip."
    if recipe.estimate_usd and recipe.cap_usd > _FAR_ABOVE * recipe.estimate_usd:
        message = f"The cap is more than {_FAR_ABOVE} times the estimate; a lower one protects whoever runs this."
        yield "LINT_CAP_FAR_ABOVE", "budget.cap_usd", message
    if recipe.estimate_usd == Decimal(0) and any(KINDS.get(step.kind).render is None for step in recipe.steps):
        yield (
            "LINT_NO_ESTIMATE",
            "budget.estimate_usd",
            "The estimate is 0, but providers are asked; say what a run costs.",
        )


def _unused_inputs(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    used = set().union(*(variables(step.prompt) for step in recipe.steps))
    for step in recipe.steps:
        refs = (*step.inputs, *step.reference_images)
        used |= {ref.name for ref in refs if ref.target == Target.INPUT}
    for name in recipe.inputs:
        if name not in used:
            yield "LINT_INPUT_UNUSED", f"inputs.{name}", f"{name} is asked for, and no step uses it."


def _unused_prompts(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    used = {step.prompt_file for step in recipe.steps}
    for path in recipe.prompts:
        if path not in used:
            yield "LINT_PROMPT_UNUSED", f"prompts[{path}]", f"No step uses the prompt file {path}."


def _unused_steps(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    """Paid steps whose result goes nowhere, in a recipe that ends in a stitch."""
    used = {ref.name for step in recipe.steps for ref in (*step.inputs, *step.reference_images)}
    if recipe.steps[-1].kind != "stitch":
        return
    for index, step in enumerate(recipe.steps[:-1]):
        goes_on = any(KINDS.get(later.kind).repeats for later in recipe.steps[index + 1 :])
        if step.id not in used and not (KINDS.get(step.kind).makes == "mp4" and goes_on):
            yield (
                "LINT_STEP_UNUSED",
                f"steps[{index}].id",
                f"{step.id} is paid for, and no later step uses what it makes.",
            )


def _of_step(recipe: Recipe, step: StepSpec) -> Iterator[tuple[str, str, str]]:
    kind = KINDS.get(step.kind)
    if kind.render is None and not step.prompt.strip() and step.kind not in ("video.upscale",):
        yield "LINT_NO_PROMPT", "", f"{step.id} has no prompt."
    made = {made_by(ref, recipe) for ref in (*step.inputs, *step.reference_images)}
    if step.kind in _NEEDS_MEDIA and _NEEDS_MEDIA[step.kind][0] not in made:
        yield (
            "LINT_NOTHING_TO_EDIT",
            "",
            f"{step.id} is a {step.kind} step without {_NEEDS_MEDIA[step.kind][1]} to work on.",
        )
    media = {name for name in variables(step.prompt) if recipe.inputs[name].type.is_media}
    for name in sorted(media):
        message = f"{{{name}}} is a picture or clip, so it leaves nothing in the prompt; name it in reference_images."
        yield "LINT_MEDIA_IN_PROMPT", ".prompt", message
    repeat = step.repeat or Repeat()
    if step.repeat is not None and repeat.default < repeat.min:
        message = f"The default of {repeat.default} is below min, so {repeat.min} are made."
        yield "LINT_REPEAT_DEFAULT", ".repeat", message
