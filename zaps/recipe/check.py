"""The rules that need the whole recipe: ids of expanded steps, and what steps are made from."""

from zaps.kind import KINDS
from zaps.recipe.copies import becomes_several, possible_ids, repeats
from zaps.recipe.errors import Log
from zaps.recipe.schema import InputType, Recipe, Ref, StepSpec, Target

_UNKNOWN = "?"  # the class that a step of an unknown kind makes: that has been noted already
_OF_INPUT = {InputType.IMAGE: "png", InputType.VIDEO: "mp4", InputType.AUDIO: "wav"}


def check(recipe: Recipe, log: Log) -> None:
    """Note what is wrong with the steps taken together."""
    _check_collisions(recipe, log)
    for index, step in enumerate(recipe.steps):
        if step.kind not in KINDS:
            continue
        if repeats(step) or step.first_frame is not None:
            _check_beginning(recipe, index, log)
        if KINDS.get(step.kind).render is not None:
            _check_materials(recipe, index, log)
        if step.matrix:
            _check_matrix(step, index, log)
        if step.gate is not None and step.rlhf is not True and not (step.judge and step.judge.enabled):
            message = f"{step.id} has a gate that nobody closes: it needs `rlhf: true`, or a `judge`."
            log.add_at(f"steps[{index}].gate", "RECIPE_GATE", message)


def made_by(ref: Ref, recipe: Recipe) -> str | None:
    """The media class that a reference brings, png, mp4 or wav; None for a text or number."""
    if ref.target == Target.INPUT:
        return of_input(recipe, ref.name)
    kinds = {step.id: step.kind for step in recipe.steps}
    return KINDS.get(kinds[ref.name]).makes if kinds.get(ref.name) in KINDS else _UNKNOWN


def of_input(recipe: Recipe, name: str) -> str | None:
    """The media class of an input; None for a text or number."""
    return _OF_INPUT.get(recipe.inputs[name].type)


def _check_collisions(recipe: Recipe, log: Log) -> None:
    """Note a step whose planned ids could be another's: the copies that are made are known only when a plan is."""
    taken = {step.id: step.id for step in recipe.steps if not becomes_several(step)}
    for index, step in enumerate(recipe.steps):
        for planned in possible_ids(step) if step.id else []:
            other = taken.setdefault(planned, step.id)
            if other != step.id:
                message = f"{step.id} makes a step {planned}, and {other} means that id too; rename one of them."
                log.add_at(f"steps[{index}].id", "RECIPE_ID_COLLISION", message)
                break


def _check_beginning(recipe: Recipe, index: int, log: Log) -> None:
    step, before = recipe.steps[index], recipe.steps[:index]
    if step.first_frame is not None and step.first_frame.step is not None:
        made = made_by(step.first_frame.step, recipe)
        if made not in ("png", "mp4", _UNKNOWN):
            name = step.first_frame.step.name
            message = (
                f"{name} makes {_WORDS.get(made or '', 'something else')}; a first frame is a picture or a clip's."
            )
            log.add_at(f"steps[{index}].first_frame.from", "RECIPE_MATERIAL", message)
    elif not any(makes_clip(one.kind) for one in before) and all(one.kind in KINDS for one in before):
        message = f"{step.id or step.kind} goes on from the last frame of an earlier clip, and there is none before it."
        log.add_at(f"steps[{index}]", "RECIPE_EXTEND_ORPHAN", message)


def _check_matrix(step: StepSpec, index: int, log: Log) -> None:
    if repeats(step) or KINDS.get(step.kind).render is not None:
        message = f"A {step.kind} step has no matrix: it is for steps that a provider makes, and that do not repeat."
        log.add_at(f"steps[{index}].matrix", "RECIPE_MATRIX", message)


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
