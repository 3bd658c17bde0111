"""Taking typed values out of a JSON object, with a note of everything that is wrong with it. Pure."""

import json
import sys
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from core.errors import Problem

MAX_DEPTH = 100
UNSTORABLE = f"Texts hold whole characters and no NUL, numbers are finite, and nothing is over {MAX_DEPTH} deep."


class Fields:
    """Takes values out of an object and notes what is wrong with them, each at its path. null is the same as absent."""

    def __init__(self, values: Mapping[str, Any], path: str, problems: list[Problem] | None = None) -> None:
        self.values, self._path = values, path
        self.problems: list[Problem] = [] if problems is None else problems

    def wrong(self, name: str, message: str) -> None:
        """Note what is wrong at a place below this object; "" is the object itself."""
        path = ".".join(part for part in (self._path, name) if part)
        self.problems.append(Problem(code="MANIFEST_INVALID", message=message, path=path or None))

    def known(self, *names: str) -> None:
        """Note every field that is none of `names`, with the one that was meant."""
        for name in self.values:
            if name not in names:
                near = get_close_matches(str(name), names, n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                self.wrong(str(name)[:80], f"There is no field {str(name)[:80]!r}.{hint}")

    def text(self, name: str, *, required: bool = False, most: int = 200) -> str:
        """A text; "" where it is absent."""
        return str(self._take(name, "", lambda value: isinstance(value, str) and (not required or value.strip() != "")
                              and len(value) <= most and storable(value), required,
                              f"This is a text of {'1' if required else '0'} to {most} characters."))  # fmt: skip

    def number(self, name: str) -> float:
        """A finite number that must be there."""
        return float(self._take(name, 0, _is_number, True,
                                "This is a finite number."))  # fmt: skip

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        return int(self._take(name, default, lambda value: _is_number(value) and value == int(value)
                              and least <= value <= most, False,
                              f"This is a whole number from {least} to {most}."))  # fmt: skip

    def flag(self, name: str) -> bool:
        """true or false; false where it is absent."""
        return bool(self._take(name, False, lambda value: isinstance(value, bool), False, "This is true or false."))

    def rows(self, name: str, *, most: int) -> list[Any]:
        """A list; [] where it is absent."""
        found: list[Any] = self._take(name, [], lambda value: isinstance(value, list) and len(value) <= most, False,
                                      f"This is a list of at most {most}.")  # fmt: skip
        return found

    def inner(self, name: str) -> "Fields | None":
        """The object within; None where it is absent."""
        value = self._take(name, None, lambda value: isinstance(value, Mapping), False, "This is an object.")
        path = ".".join(part for part in (self._path, name) if part)
        return None if value is None else Fields(value, path, self.problems)

    def _take(self, name: str, default: Any, fits: Callable[[Any], bool], required: bool, message: str) -> Any:
        value = self.values.get(name)
        if value is None and not required:
            return default
        if value is None or not fits(value):
            self.wrong(name, message)
            return default
        return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def storable(value: Any) -> bool:
    """Whether a JSON value can be kept and read again: no NUL, whole characters, finite numbers, at most 100 deep.

    Without a bound of our own, what is read in one place would be too deep for the stack of another.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, TypeError, RecursionError):
        return False
    if text.count("[") + text.count("{") > MAX_DEPTH and not _is_shallow(value, MAX_DEPTH):
        return False
    return "\\u0000" not in text.replace("\\\\", "")


def _is_shallow(value: Any, left: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    parts = value.values() if isinstance(value, dict) else value
    return left > 0 and all(_is_shallow(part, left - 1) for part in parts)
