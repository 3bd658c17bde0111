"""What can go wrong, as data: the HTTP border and the CLI print these, nothing else.

ZapsError
├── StaleState      somebody else moved the row first; nothing was written
├── Refused         the caller asked for something that cannot be done
│   ├── NotFound
│   ├── Conflict    the state forbids it now
│   ├── OverBudget  it would cost more than the cap
│   └── BadInput    the request itself is wrong; carries every problem found
└── (provider errors live in providers.errors)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with a recipe, an input or a request.

    `code` is stable. `line` and `column` count from 1 in the file that the caller sent; `path` names the
    place in the document (`steps[2].duration_s`, `inputs.NAME`). All three are None where they mean nothing.
    """

    code: str
    message: str
    line: int | None = None
    column: int | None = None
    path: str | None = None


class ZapsError(Exception):
    """Something failed, and we can say what."""

    code: ClassVar[str] = "INTERNAL"
    title: ClassVar[str] = "Something failed."
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    remediation: ClassVar[str] = ""

    def __init__(self, detail: str = "", **extra: Any) -> None:
        """`detail` is one sentence for a person; `extra` goes into the problem document as it is."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.extra: Mapping[str, Any] = extra

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.detail, dict(self.extra)))


def _rebuild(kind: type[ZapsError], detail: str, extra: dict[str, Any]) -> ZapsError:
    return kind(detail, **extra)


class StaleState(ZapsError):
    """Somebody else was first: the row is no longer in a state that allows this."""

    code = "STALE_STATE"
    title = "The state changed meanwhile."
    status = 409
    retryable = True


class Refused(ZapsError):
    """The request cannot be carried out; nothing was written."""

    code = "REFUSED"
    title = "The request was refused."
    status = 400


class NotFound(Refused):
    """There is no such thing, or the caller may not see it."""

    code = "NOT_FOUND"
    title = "There is no such thing."
    status = 404
    remediation = "Check the id; a run or recipe of somebody else looks as if it did not exist."


class Conflict(Refused):
    """The state of the thing forbids this now."""

    code = "CONFLICT"
    title = "The state forbids this."
    status = 409


class OverBudget(Refused):
    """It would cost more than the cap allows."""

    code = "BUDGET_EXCEEDED"
    title = "This would cost more than the cap allows."
    status = 402
    remediation = "Raise the cap, use fewer or shorter steps, or choose a cheaper model."


class BadInput(Refused):
    """The recipe, the inputs or the request is wrong. `problems` lists everything that was found."""

    code = "INVALID_INPUT"
    title = "The input is not valid."
    status = 422
    remediation = "Mend what `errors` lists and send it again."

    def __init__(self, detail: str = "", *, problems: tuple[Problem, ...] | list[Problem] = (), **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.problems = tuple(problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.detail, {**self.extra, "problems": self.problems}))
