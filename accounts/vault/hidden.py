"""A text that gives itself away only when asked by name."""

from typing import Any, NoReturn


class Hidden:
    """A secret. It has no repr, no pickle and no copy, so it gets into no log line and no message by mistake."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one call that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Hidden(…)"

    def __str__(self) -> str:
        return "…"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A secret is not written down.")
