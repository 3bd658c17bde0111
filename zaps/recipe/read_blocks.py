"""From the tree to the blocks of a step that say when, how often and from what it is made."""

import re
from collections.abc import Mapping
from decimal import Decimal
from math import prod

from media.shape import size_for
from zaps.recipe.errors import did_you_mean, listed, shown
from zaps.recipe.fields import Field, Section
from zaps.recipe.refs import Names, resolve
from zaps.recipe.schema import (
    REPEAT_AT_MOST,
    UPSCALES,
    Condition,
    FirstFrame,
    GateSpec,
    InputSpec,
    InputType,
    Judge,
    Ref,
    Target,
)
from zaps.recipe.tree import Fields, Scalar

_PREVIOUS = ("prev", "prev.last_frame")
_LAST_FRAME = ".last_frame"
_THRESHOLDS = ("threshold", "min_score", "minScore")
_TIMEOUT_AT_MOST_S = 30 * 24 * 3600
_NAMES_AT_MOST = 8
_PRESENCE = ("given", "missing")
_VARIABLE = re.compile(r"[A-Z0-9_]{1,40}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,12})?")


def read_aspect(place: Field | None) -> str | None:
    """A shape that we have a size for, without spaces."""
    word = place.text() if place else None
    try:
        size_for(word)
    except ValueError as exc:
        if place is not None:
            place.wrong("RECIPE_ASPECT", str(exc))
        return None
    return word.replace(" ", "") if word else None


def read_judge(place: Field) -> Judge:
    """The judge; a threshold above 1 counts as percent."""
    section = place.section()
    enabled = one.flag() if (one := section.get("enabled")) else None
    criteria = one.texts() if (one := section.get("criteria")) else ()
    named = [one for name in _THRESHOLDS if (one := section.get(name))]
    if len(named) > 1:
        named[1].wrong(
            "RECIPE_TYPE", f"{place.path} names its threshold twice; {', '.join(_THRESHOLDS)} mean the same."
        )
    threshold = named[0].number(least=0, most=100) if named else None
    section.close()
    if threshold is not None and threshold > 1:
        threshold /= Decimal(100)
    return Judge(enabled=enabled is not False, criteria=criteria, threshold=threshold)


def read_gate(place: Field) -> GateSpec:
    """How long a person is waited for."""
    section = place.section()
    timeout = one.whole(least=1, most=_TIMEOUT_AT_MOST_S) if (one := section.get("timeout_s")) else None
    decision = one.choice(("approve", "reject")) if (one := section.get("on_timeout")) else None
    section.close()
    return GateSpec(timeout_s=timeout, on_timeout=decision)


def read_first_frame(place: Field, names: Names) -> FirstFrame:
    """What a clip begins with."""
    section = place.section()
    origin = section.get("from")
    upscale = one.choice(UPSCALES) if (one := section.get("upscale")) else None
    section.close()
    return FirstFrame(step=_origin(origin, names) if origin else None, upscale=upscale)


def _origin(place: Field, names: Names) -> Ref | None:
    word = place.text()
    if word is None or word in _PREVIOUS:
        return None
    ref = resolve(place, names, word=word.removesuffix(_LAST_FRAME))
    if ref is not None and ref.target == Target.INPUT:
        place.wrong("RECIPE_MATERIAL", f"{ref.name} is an input; a first frame comes from a step, or {_PREVIOUS[1]}.")
        return None
    return ref


def read_needs(place: Field, names: Names) -> tuple[Ref, ...]:
    """The steps that must be done before."""
    found = []
    for one in place.items():
        ref = resolve(one, names)
        if ref is not None and ref.target == Target.INPUT:
            one.wrong("RECIPE_REF_UNKNOWN", f"{ref.name} is an input, which needs no waiting for; `needs` names steps.")
        elif ref is not None:
            found.append(ref)
    return tuple(found)


def read_matrix(place: Field, inputs: Mapping[str, InputSpec]) -> dict[str, tuple[str, ...]]:
    """The values by variable, at least one each; at most 64 permutations in all."""
    section = _filled(place, "RECIPE_MATRIX")
    matrix: dict[str, tuple[str, ...]] = {}
    for name, one in section.each():
        values = one.texts()
        if not _VARIABLE.fullmatch(name):
            rule = "1 to 40 capitals, digits and underscores"
            one.log.add(
                "RECIPE_MATRIX", f"A variable cannot be called {shown(name)}: a name is {rule}.",
                at=section.key_at(name), path=one.path,
            )  # fmt: skip
        elif name in inputs:
            message = f"{name} is an input already, so {{{name}}} would mean two things; rename one of them."
            one.log.add("RECIPE_MATRIX", message, at=section.key_at(name), path=one.path)
        elif len(set(values)) < len(values):
            one.wrong("RECIPE_MATRIX", f"{one.path} lists the same value twice.")
        elif values:
            matrix[name] = values
        else:
            one.wrong("RECIPE_MATRIX", f"{one.path} must list at least one value.")
    count = prod(len(values) for values in matrix.values())
    if len(matrix) > _NAMES_AT_MOST or count > REPEAT_AT_MOST:
        most = f"at most {_NAMES_AT_MOST} variables and {REPEAT_AT_MOST} permutations"
        place.wrong("RECIPE_MATRIX", f"{place.path} makes {count} permutations of {len(matrix)} variables; {most}.")
        return {}
    return matrix


def read_when(place: Field, inputs: Mapping[str, InputSpec]) -> tuple[Condition, ...]:
    """The conditions on inputs."""
    section = _filled(place, "RECIPE_WHEN")
    conditions = []
    for name, one in section.each():
        spec = inputs.get(name)
        if spec is None:
            message = f"There is no input {shown(name)}; `when` asks about inputs.{did_you_mean(name, inputs)}"
            one.log.add("RECIPE_WHEN", message, at=section.key_at(name), path=one.path)
        elif isinstance(one.node, Scalar) and one.node.text in _PRESENCE:
            conditions.append(Condition(name=name, given=one.node.text == "given"))
        else:
            conditions.append(Condition(name=name, one_of=_values(one, spec)))
    return tuple(conditions)


def _filled(place: Field, code: str) -> Section:
    if isinstance(place.node, Fields) and not place.node.entries:
        place.wrong(code, f"{place.path} is empty; leave it out.")
    return place.section()


def _texts(place: Field) -> tuple[str, ...]:
    if not isinstance(place.node, Scalar):
        return place.texts()
    value = place.text()
    return (value,) if value is not None else ()


def _values(place: Field, spec: InputSpec) -> tuple[str, ...]:
    if spec.type.is_media:
        place.wrong("RECIPE_WHEN", f"{spec.name} is a picture or clip, so {place.path} is given or missing.")
        return ()
    values = _texts(place)
    if not values and not isinstance(place.node, Scalar):
        place.wrong("RECIPE_WHEN", f"{place.path} is given, missing, a value, or a list of values such as [a, b].")
    for value in values:
        if spec.type == InputType.SELECT and value not in spec.options:
            near = did_you_mean(value, spec.options) or f" There are: {listed(spec.options)}."
            place.wrong("RECIPE_WHEN", f"{spec.name} can never be {shown(value)}.{near}")
        if spec.type == InputType.NUMBER and not _NUMBER.fullmatch(value):
            place.wrong("RECIPE_WHEN", f"{spec.name} is a number, so it can never be {shown(value)}.")
    return values
