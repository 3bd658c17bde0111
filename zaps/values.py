"""What callers send as inputs, held against what the recipe declares."""

import re
from collections.abc import Mapping
from typing import Any

from core.errors import Problem
from providers import guard
from providers.errors import AddressRefused
from zaps.recipe.errors import did_you_mean, listed, shown
from zaps.recipe.frontmatter import UNSTORABLE
from zaps.recipe.schema import InputSpec, InputType, Recipe

_LINE_AT_MOST = 2_000  # characters
_TEXT_AT_MOST = 20_000
_ADDRESS_AT_MOST = 4_096
_DATA_AT_MOST = 28 * 1024 * 1024  # characters of base64: 20 MB of bytes and their heading
_NUMBER_AT_MOST = 10**15
_DATA = re.compile(r"data:(image|video|audio)/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}")
_OURS = re.compile(r"(?:mock|input):[\x21-\x7e]{1,500}")
_STORED = re.compile(r"input:[^|]+\|([a-z]+)/.+")
_WHAT = {InputType.IMAGE: "an image", InputType.VIDEO: "a video", InputType.AUDIO: "a sound"}


def check_values(recipe: Recipe, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """The values that count, by name, and everything that is wrong. An empty value counts as not given."""
    problems = [_unknown(name, recipe) for name in given if name not in recipe.inputs]
    values: dict[str, Any] = {}
    for name, spec in recipe.inputs.items():
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            if spec.required:
                problems.append(_problem(name, "INPUT_MISSING", f"{name} is required{_asking(spec)}."))
            continue
        sentence = _misfit(spec, value)
        if sentence:
            problems.append(_problem(name, "INPUT_INVALID", f"{name} {sentence}"))
        else:
            values[name] = value
    return values, problems


def _unknown(name: object, recipe: Recipe) -> Problem:
    near = did_you_mean(str(name), recipe.inputs) or f" There are: {listed(recipe.inputs) or 'none'}."
    return _problem(str(name)[:80], "INPUT_UNKNOWN", f"The recipe has no input {shown(str(name))}.{near}")


def _problem(name: str, code: str, message: str) -> Problem:
    return Problem(code=code, message=message, path=f"inputs.{name}")


def _asking(spec: InputSpec) -> str:
    return f" ({spec.label})" if spec.label else f", a {spec.type}"


def _misfit(spec: InputSpec, value: Any) -> str | None:
    """Why the value does not fit, as the end of a sentence; None when it does."""
    if spec.type == InputType.NUMBER:
        return _number_misfit(value)
    if not isinstance(value, str):
        return "must be a text, in quotes."
    if UNSTORABLE.search(value):
        return "holds a character that cannot be stored."
    if spec.type.is_media:
        return _media_misfit(spec, value)
    if spec.type == InputType.SELECT:
        return (
            None
            if value in spec.options
            else f"must be one of: {listed(spec.options)}.{did_you_mean(value, spec.options)}"
        )
    most = _LINE_AT_MOST if spec.type == InputType.STRING else _TEXT_AT_MOST
    return f"has {len(value):,} characters; at most {most:,} are allowed." if len(value) > most else None


def _number_misfit(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number, without quotes."
    if not abs(value) <= _NUMBER_AT_MOST:  # so that NaN, which is neither more nor less, is refused too
        return f"must be a finite number of at most {_NUMBER_AT_MOST:,}."
    return None


def _media_misfit(spec: InputSpec, value: str) -> str | None:
    what = _WHAT[spec.type]
    wanted = f"must be an https address of {what} on the internet, or a data: URI or an upload of one."
    if value.startswith("data:"):
        if len(value) > _DATA_AT_MOST:
            return "is larger than 20 MB; upload it, or give an https address instead."
        found = _DATA.fullmatch(value)
        return None if found and found[1] == spec.type else wanted
    if _OURS.fullmatch(value):
        stored = _STORED.fullmatch(value)
        return None if stored is None or stored[1] == spec.type else wanted
    return None if _is_fetchable(value) else wanted


def _is_fetchable(value: str) -> bool:
    """Providers fetch it, not we; yet none is sent to look at somebody's own network, or at what can be misread."""
    if len(value) > _ADDRESS_AT_MOST:
        return False
    try:
        place = guard.read(value)
    except AddressRefused:
        return False
    return value.startswith("https://") and guard.is_public_name(place.host)  # HTTPS: is not looked for further on
