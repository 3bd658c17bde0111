"""Fields that may stand in a recipe and that no run can act on: planning refuses each by name, so none is idle."""

from collections.abc import Iterator

from core.errors import Problem
from zaps.kind import KINDS, StepKind
from zaps.recipe.copies import repeats
from zaps.recipe.schema import InputType, Publish, Recipe, Retry, StepSpec, Stitch, Target

_OF_PROVIDERS = ("prompt", "provider", "model", "params", "shared", "on_unknown", "duration_s")
_FIRST_FRAMES = ("video.gen", "video.extend")

Refusal = tuple[str, str]  # path, and why


def refused(recipe: Recipe) -> list[Problem]:
    """One problem for each, in the order of the file."""
    found = [*_of_inputs(recipe), *_of_models(recipe)]
    found += [
        (f"steps[{index}].{name}", why)
        for index, step in enumerate(recipe.steps)
        for name, why in _of_step(step, KINDS.get(step.kind), recipe)
    ]
    found += [*_of_publish(recipe.publish, recipe.slug), *_of_output(recipe)]
    return [recipe.problem("RECIPE_FIELD_UNUSABLE", path, f"{path}: {why}") for path, why in found]


def _of_inputs(recipe: Recipe) -> Iterator[Refusal]:
    for name, spec in recipe.inputs.items():
        if spec.options and spec.type != InputType.SELECT:
            yield f"inputs.{name}.options", f"only a select has options, and this is a {spec.type}; leave them out."


def _of_models(recipe: Recipe) -> Iterator[Refusal]:
    local = {kind.name for kind in KINDS if kind.render is not None}
    for name in recipe.default_models:
        if name.partition(".")[0] in local:
            yield f"defaults.models.{name}", "such steps run on our own machine, without a model; leave it out."


def film_format(recipe: Recipe) -> str:
    """The ending of the result's file name: that of the last stitch, of clips, or of what the last step makes."""
    made = [step.stitch.format for step in recipe.steps if step.kind == "stitch" and step.stitch is not None]
    if made or any(KINDS.get(step.kind).makes == "mp4" for step in recipe.steps):
        return made[-1] if made else "mp4"
    return KINDS.get(recipe.steps[-1].kind).makes


def _of_step(step: StepSpec, kind: StepKind, recipe: Recipe) -> Iterator[Refusal]:
    if kind.render is not None:
        yield from _of_local(step)
    elif kind.makes == "png" and step.duration_s is not None:
        yield "duration_s", "a picture has no length; leave it out."
    yield from _of_other_kinds(step)
    yield from _of_tier(step, kind)
    if step.aspect is not None and not kind.shaped:
        yield "aspect", f"a {kind.name} step does not choose a shape; leave it out."
    if step.retry is not None and not step.retry.max:
        yield from _of_retry(step.retry)
    if step.stitch is not None and step.kind == "stitch":
        yield from _of_stitch(step.stitch)
    for number, ref in enumerate(step.inputs):
        yield from _text(f"inputs[{number}]", ref.target, ref.name, recipe)
    for number, ref in enumerate(step.reference_images):
        yield from _text(f"reference_images[{number}]", ref.target, ref.name, recipe)


def _of_local(step: StepSpec) -> Iterator[Refusal]:
    for name in _OF_PROVIDERS:
        if getattr(step, name):
            yield name, f"a {step.kind} step runs on our own machine and has no use for it; leave it out."
    if (step.candidates or 1) > 1:
        yield "candidates", f"a {step.kind} step makes the same thing every time; one candidate is enough."
    for name in ("fallback_provider", "fallback_model"):
        if step.retry is not None and getattr(step.retry, name):
            yield f"retry.{name}", f"a {step.kind} step runs on our own machine, so there is nobody else to ask."


def _of_other_kinds(step: StepSpec) -> Iterator[Refusal]:
    for name, is_there, kinds in (
        ("repeat", step.repeat is not None and not repeats(step), ("video.extend",)),
        ("extend", step.extend_mode is not None and not repeats(step), ("video.extend",)),
        ("first_frame", step.first_frame is not None and step.kind not in _FIRST_FRAMES, _FIRST_FRAMES),
        ("stitch", step.stitch is not None and step.kind != "stitch", ("stitch",)),
        ("audio", step.audio is not None and step.kind != "stitch", ("stitch",)),
        ("keyframes", step.keyframes is not None and step.kind != "keyframes", ("keyframes",)),
    ):
        if is_there:
            yield name, f"it is for {' and '.join(kinds)} steps, and this is a {step.kind}; leave it out."


def _of_tier(step: StepSpec, kind: StepKind) -> Iterator[Refusal]:
    if step.tier is None:
        return
    if step.kind == "stitch":
        if step.stitch is not None and step.stitch.quality is not None:
            yield "tier", "stitch.quality says already how good the film is; leave one of them out."
    elif kind.render is not None:
        yield "tier", f"a {step.kind} step has no tiers; leave it out."
    elif step.model is not None:
        yield "tier", "a tier chooses the model, and `model` names one already; leave one of them out."


def _of_retry(retry: Retry) -> Iterator[Refusal]:
    for name in ("backoff_s", "fallback_provider", "fallback_model"):
        if getattr(retry, name):
            yield f"retry.{name}", "nothing is tried again, because retry.max is 0; set it, or leave this out."


def _of_stitch(stitch: Stitch) -> Iterator[Refusal]:
    if stitch.engine == "hyperframes":
        yield "stitch.engine", "films are joined on our own machine; write auto or local."
    for name in ("template", "inputs"):
        if getattr(stitch, name) is not None:
            yield f"stitch.{name}", "films are joined without templates; leave it out."


def _text(field: str, target: Target, name: str, recipe: Recipe) -> Iterator[Refusal]:
    if target == Target.INPUT and not recipe.inputs[name].type.is_media:
        yield field, f"{name} is no picture or clip, so the step cannot be given it; write {{{name}}} in its prompt."


def _of_publish(publish: Publish | None, slug: str) -> Iterator[Refusal]:
    if publish is None:
        return
    if publish.slug is not None and publish.slug != slug:
        yield "publish.slug", f"a recipe is published under its own name, {slug}; leave it out."
    if publish.embed is not None and publish.embed.enabled:
        yield "publish.embed", "films cannot be embedded in other pages; leave it out, or write `enabled: false`."


def _of_output(recipe: Recipe) -> Iterator[Refusal]:
    ending, other = film_format(recipe), {"mp4": ".webm", "webm": ".mp4"}
    if recipe.output is not None and ending in other and recipe.output.lower().endswith(other[ending]):
        yield "output", f"the film is {ending}, so its name cannot end in {other[ending]}."
