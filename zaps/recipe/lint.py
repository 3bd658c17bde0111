"""What a recipe may do and probably should not: hints for its author. None of them makes it invalid."""

from collections.abc import Iterator
from decimal import Decimal

from core.errors import Problem
from zaps.kind import KINDS
from zaps.recipe.check import made_by
from zaps.recipe.prompts import variables
from zaps.recipe.refused import refused
from zaps.recipe.schema import Recipe, Repeat, StepSpec, Target

_FAR_ABOVE = 5
_WORDS = {"png": "a picture", "mp4": "a clip"}
_WORDLESS = ("image.upscale", "video.upscale")


def lint(recipe: Recipe) -> list[Problem]:
    """Warnings in no particular severity, [] for a tidy recipe."""
    found = [*_of_whole(recipe), *_unused_models(recipe), *_unused_inputs(recipe), *_unused_prompts(recipe)]
    found += _unused_steps(recipe)
    for index, step in enumerate(recipe.steps):
        found += [(code, f"steps[{index}]{where}", message) for code, where, message in _of_step(recipe, step)]
    return [recipe.problem(*one) for one in found] + refused(recipe)


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


def _unused_models(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    used = {name for step in recipe.steps for name in (step.kind, f"{step.kind}.{step.tier}")}
    if any(step.first_frame is not None and step.first_frame.upscale for step in recipe.steps):
        used.add("image.upscale")
    for name in recipe.default_models:
        if name not in used and not name.startswith("x_"):
            yield "LINT_MODEL_UNUSED", f"defaults.models.{name}", f"No step is made with the model for {name}."


def _unused_inputs(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    used = set().union(*(variables(step.prompt) for step in recipe.steps))
    for step in recipe.steps:
        refs = (*step.inputs, *step.reference_images)
        used |= {ref.name for ref in refs if ref.target == Target.INPUT} | {one.name for one in step.when}
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
    used |= {step.first_frame.step.name for step in recipe.steps if step.first_frame and step.first_frame.step}
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
    if kind.render is None and not step.prompt.strip() and step.kind not in _WORDLESS:
        yield "LINT_NO_PROMPT", "", f"{step.id} has no prompt."
    made = {made_by(ref, recipe) for ref in (*step.inputs, *step.reference_images)}
    if kind.works_on is not None and kind.works_on not in made:
        message = f"{step.id} is a {step.kind} step without {_WORDS[kind.works_on]} to work on."
        yield "LINT_NOTHING_TO_EDIT", "", message
    named = variables(step.prompt)
    media = {name for name in named & recipe.inputs.keys() if recipe.inputs[name].type.is_media}
    for name in sorted(media):
        message = f"{{{name}}} is a picture or clip, so it leaves nothing in the prompt; name it in reference_images."
        yield "LINT_MEDIA_IN_PROMPT", ".prompt", message
    for name in step.matrix:
        if name not in named:
            yield (
                "LINT_MATRIX_UNUSED",
                f".matrix.{name}",
                f"The prompt does not use {{{name}}}, so its values differ in nothing.",
            )
    yield from _of_choice(recipe, step)
    repeat = step.repeat or Repeat()
    if step.repeat is not None and repeat.default < repeat.min:
        message = f"The default of {repeat.default} is below min, so {repeat.min} are made."
        yield "LINT_REPEAT_DEFAULT", ".repeat", message


def _of_choice(recipe: Recipe, step: StepSpec) -> Iterator[tuple[str, str, str]]:
    if (step.candidates or 1) > 1 and step.rlhf is not True and not (step.judge and step.judge.enabled):
        message = f"Nobody chooses among the candidates of {step.id}, so the first counts: add a judge or `rlhf`."
        yield "LINT_NOBODY_CHOOSES", ".candidates", message
    for condition in step.when:
        if condition.given is not None and recipe.inputs[condition.name].required:
            message = f"{condition.name} is required, so it is always given."
            yield "LINT_WHEN_SETTLED", f".when.{condition.name}", message
