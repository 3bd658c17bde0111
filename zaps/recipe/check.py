"""The rules that need the whole recipe: ids of expanded steps, and what steps are made from."""

from zaps.kind import KINDS
from zaps.recipe.errors import Log
from zaps.recipe.schema import InputType, Recipe, Ref, Repeat, StepSpec, Target

_UNKNOWN = "?"  # the class that a step of an unknown kind makes: that has been noted already
_OF_INPUT = {InputType.IMAGE: "png", InputType.VIDEO: "mp4"}


def check(recipe: Recipe, log: Log) -> None:
    """Note what is wrong with the steps taken together."""
    _check_collisions(recipe, log)
    for index, step in enumerate(recipe.steps):
        if step.kind not in KINDS:
            continue
        kind = KINDS.get(step.kind)
        if kind.repeats:
            _check_beginning(recipe, index, log)
        if kind.render is not None:
            _check_materials(recipe, index, log)


def made_by(ref: Ref, recipe: Recipe) -> str | None:
    """The media class that a reference brings, png, mp4 or wav; None for a text or number."""
    if ref.target == Target.INPUT:
        return _OF_INPUT.get(recipe.inputs[ref.name].type)
    kinds = {step.id: step.kind for step in recipe.steps}
    return KINDS.get(kinds[ref.name]).makes if kinds.get(ref.name) in KINDS else _UNKNOWN


def expanded_ids(step: StepSpec, count: int) -> list[str]:
    """The planned ids of a repeated step."""
    return [f"{step.id}_{number}" for number in range(1, count + 1)]


def _check_collisions(recipe: Recipe, log: Log) -> None:
    plain = {step.id: step.id for step in recipe.steps if not _repeats(step)}
    for index, step in enumerate(recipe.steps):
        if not step.id or not _repeats(step):
            continue
        for planned in expanded_ids(step, (step.repeat or Repeat()).max):
            other = plain.setdefault(planned, step.id)
            if other != step.id:
                message = f"{step.id} expands to {planned}, and {other} means that id too; rename one of them."
                log.add_at(f"steps[{index}].id", "RECIPE_ID_COLLISION", message)
                break


def _check_beginning(recipe: Recipe, index: int, log: Log) -> None:
    before = recipe.steps[:index]
    if not any(makes_clip(step.kind) for step in before) and all(step.kind in KINDS for step in before):
        step = recipe.steps[index]
        message = f"{step.id or step.kind} goes on from the last frame of an earlier clip, and there is none before it."
        log.add_at(f"steps[{index}]", "RECIPE_EXTEND_ORPHAN", message)


def _check_materials(recipe: Recipe, index: int, log: Log) -> None:
    step = recipe.steps[index]
    uses = KINDS.get(step.kind).uses
    made = []
    for field, refs in (("inputs", step.inputs), ("reference_images", step.reference_images)):
        for number, ref in enumerate(refs):
            made.append(made_by(ref, recipe))
            problem = _misfit(ref, made[-1], step.kind, uses)
            if problem:
                log.add_at(f"steps[{index}].{field}[{number}]", "RECIPE_MATERIAL", problem)
    if "mp4" not in made and _UNKNOWN not in made and not _has_broken_refs(step, index, log):
        log.add_at(
            f"steps[{index}]",
            "RECIPE_NO_VIDEO",
            f"A {step.kind} step needs a clip: name the steps that make one in `inputs`.",
        )


def _misfit(ref: Ref, made: str | None, kind: str, uses: tuple[str, ...]) -> str | None:
    """Why a local step cannot take what the reference brings."""
    wanted = ", ".join(_WORDS[one] for one in uses)
    if ref.target == Target.INPUT:
        return f"{ref.name} is an input; a {kind} step takes {wanted} that earlier steps made."
    if made in uses or made == _UNKNOWN:
        return None
    return f"{ref.name} makes {_WORDS.get(made or '', 'something else')}; a {kind} step takes {wanted}."


_WORDS = {"png": "pictures", "mp4": "clips", "wav": "sounds", "json": "data"}


def _has_broken_refs(step: StepSpec, index: int, log: Log) -> bool:
    """Whether some reference could not be read; that has been noted already."""
    written = sum(
        1 for path in log.where if path.startswith((f"steps[{index}].inputs[", f"steps[{index}].reference_images["))
    )
    return written > len(step.inputs) + len(step.reference_images)


def makes_clip(kind: str) -> bool:
    """Whether a clip of that kind can be extended: a provider made it."""
    return kind in KINDS and KINDS.get(kind).makes == "mp4" and KINDS.get(kind).render is None


def _repeats(step: StepSpec) -> bool:
    return step.kind in KINDS and KINDS.get(step.kind).repeats
