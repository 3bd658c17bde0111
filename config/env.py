"""Values from the environment. A bad one stops the start with a sentence, and all are named at once.

Whatever is read is also declared, so that docs/settings.md can be drawn from the code.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar, overload
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")

_TRUE, _FALSE = {"1", "true", "on"}, {"0", "false", "off"}
_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
_MONEY = re.compile(r"[0-9]{1,7}(\.[0-9]{1,6})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One variable that we read. `default` is in words where it is no plain value."""

    name: str
    kind: str
    default: str
    about: str


class Environment:
    """Reads variables and remembers what was wrong with them. An empty variable counts as unset.

    Every reader takes `about`, the sentence of docs/settings.md, and `shown`, the default in words.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.declared: list[Declared] = []
        self.problems: list[str] = []

    def text(self, name: str, default: str = "", *, about: str, choices: Iterable[str] = (), shown: str = "") -> str:
        """The text as it is, stripped."""
        allowed = tuple(choices)
        self._declare(name, "one of " + ", ".join(allowed) if allowed else "text", shown or default, about)
        value = self._get(name) or default
        if allowed and value not in ("", *allowed):
            return self._refuse(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.", default)
        return value

    def words(self, name: str, default: str = "", *, about: str, shown: str = "") -> list[str]:
        """Words with commas between them."""
        self._declare(name, "words, comma-separated", shown or default, about)
        return [word.strip() for word in (self._get(name) or default).split(",") if word.strip()]

    def flag(self, name: str, default: bool = False, *, about: str, shown: str = "") -> bool:
        """1, true or on; 0, false or off."""
        self._declare(name, "0 or 1", shown or str(int(default)), about)
        value = self._get(name).lower()
        if value and value not in _TRUE | _FALSE:
            return self._refuse(f"{name} is {value!r}; it must be 1 or 0.", default)
        return value in _TRUE if value else default

    def number(self, name: str, default: int, *, about: str, at_least: int = 0, at_most: int | None = None) -> int:
        """A whole number; its unit ends its name."""
        limits = f"{at_least} to {at_most}" if at_most is not None else f"{at_least} or more"
        self._declare(name, f"whole number, {limits}", str(default), about)
        value = self._get(name)
        if not value:
            return default
        if not value.isascii() or not value.isdigit() or not at_least <= int(value) <= (at_most or int(value)):
            return self._refuse(f"{name} is {value!r}; it must be a whole number, {limits}.", default)
        return int(value)

    @overload
    def money(self, name: str, default: Decimal, *, about: str) -> Decimal: ...
    @overload
    def money(self, name: str, *, about: str) -> Decimal | None: ...
    def money(self, name: str, default: Decimal | None = None, *, about: str) -> Decimal | None:
        """US dollars from 0, with at most six places; None where it is unset and has no default."""
        self._declare(name, "US dollars", "" if default is None else f"{default:f}", about)
        value = self._get(name)
        if not value:
            return default
        if not _MONEY.fullmatch(value):
            return self._refuse(f"{name} is {value!r}; it must be US dollars from 0, like 12.50.", default)
        return Decimal(value)

    def url(self, name: str, default: str = "", *, schemes: Iterable[str], about: str, shown: str = "") -> str:
        """An address without a slash at its end."""
        allowed = tuple(schemes)
        self._declare(name, "address", shown or default, about)
        value = self._get(name) or default
        # The value itself stays out of the sentence: it may hold a password.
        if value and urlsplit(value).scheme not in allowed:
            return self._refuse(f"{name} must begin with {' or '.join(f'{word}://' for word in allowed)}.", default)
        return value.rstrip("/")

    def secret(self, name: str, default: str = "", *, about: str, at_least: int = 0, shown: str = "") -> str:
        """A secret: in the variable, or in the file that NAME_FILE names. Never repeated in a sentence."""
        self._declare(name, f"secret (or {name}_FILE)", shown or default, about)
        value = self._get(name) or self._read_file(name) or default
        if value and len(value) < at_least:
            return self._refuse(f"{name} is too short; it needs {at_least} characters or more.", value)
        return value

    def fernet_keys(self, name: str, *, about: str, shown: str) -> list[str]:
        """Keys as `Fernet.generate_key()` makes them, with commas between them. Never repeated in a sentence."""
        keys = [word.strip() for word in self.secret(name, about=about, shown=shown).split(",") if word.strip()]
        if not all(_FERNET_KEY.fullmatch(key) for key in keys):
            return self._refuse(f"{name} holds something that is no Fernet key: 32 bytes as URL-safe base64.", [])
        return keys

    def refuse(self, sentence: str) -> None:
        """Add a problem that no single reader can see."""
        self.problems.append(sentence)

    def check(self) -> None:
        """Raises ImproperlyConfigured with one line for each problem."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(["The settings are not valid:", *self.problems]))

    def _get(self, name: str) -> str:
        return self._values.get(name, "").strip()

    def _read_file(self, name: str) -> str:
        path = self._get(f"{name}_FILE")
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as exc:
            return self._refuse(f"{name}_FILE names {path!r}, which cannot be read ({type(exc).__name__}).", "")

    def _declare(self, name: str, kind: str, default: str, about: str) -> None:
        self.declared.append(Declared(name=name, kind=kind, default=default, about=about))

    def _refuse(self, sentence: str, instead: T) -> T:
        self.problems.append(sentence)
        return instead
