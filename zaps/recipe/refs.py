"""`user.NAME`, `step_id`, `INPUT` and `step_id.*`: what a reference may point at."""

from collections.abc import Mapping
from dataclasses import dataclass

from zaps.recipe.errors import did_you_mean, shown
from zaps.recipe.fields import Field
from zaps.recipe.schema import InputSpec, Ref, Target

_USER = "user."
_EVERY = ".*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What can be referred to from one step. `several`: the earlier steps that become several; `own`: its own id."""

    inputs: Mapping[str, InputSpec]
    earlier: frozenset[str]
    several: frozenset[str]
    own: str
    all_steps: frozenset[str]


def resolve(field: Field, names: Names, *, word: str | None = None) -> Ref | None:
    """The reference that stands there (or `word`, a part of it), or None after noting what is wrong with it."""
    word = field.text() if word is None else word
    if word is None:
        return None
    if word.startswith(_USER) and not word.endswith(_EVERY):
        return _input(field, word.removeprefix(_USER), names)
    if word.endswith(_EVERY):
        return _step(field, word.removesuffix(_EVERY), names, every=True)
    if word in names.inputs and word in names.earlier:
        field.wrong(
            "RECIPE_REF_AMBIGUOUS",
            f"{shown(word)} is both an input and a step; write user.{word} for the input, or rename the step.",
        )
        return None
    if word in names.inputs:
        return Ref(target=Target.INPUT, name=word)
    return _step(field, word, names, every=False)


def _input(field: Field, name: str, names: Names) -> Ref | None:
    if name in names.inputs:
        return Ref(target=Target.INPUT, name=name)
    near = did_you_mean(name, names.inputs)
    field.wrong("RECIPE_REF_UNKNOWN", f"There is no input {shown(name)}; declare it under `inputs`.{near}")
    return None


def _step(field: Field, name: str, names: Names, *, every: bool) -> Ref | None:
    if name not in names.earlier:
        _explain(field, name, names)
        return None
    if not every and name in names.several:
        message = f"{name} becomes several steps, so it is no single one; write {name}.* for all of them."
        field.wrong("RECIPE_REF_EXTEND_BASE", message)
        return None
    return Ref(target=Target.STEP, name=name, every=every)


def _explain(field: Field, name: str, names: Names) -> None:
    base, _, number = name.rpartition("_")
    if name == names.own:
        field.wrong("RECIPE_REF_SELF", f"{name} refers to itself.")
    elif name in names.all_steps:
        field.wrong("RECIPE_REF_FORWARD", f"{name} comes later; a step can only use the steps before it.")
    elif number.isdigit() and base in names.earlier:
        field.wrong(
            "RECIPE_REF_UNKNOWN",
            f"There is no step {shown(name)}; what {base} becomes is used together, as {base}.*.",
        )
    else:
        near = did_you_mean(name, [*names.earlier, *names.inputs])
        field.wrong("RECIPE_REF_UNKNOWN", f"There is no earlier step and no input {shown(name)}.{near}")
