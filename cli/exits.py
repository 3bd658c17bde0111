"""How a verb can end, as the shell sees it."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """The exit codes. They are part of the contract and never change."""

    DONE = 0  #: it was done
    FAILED = 1  #: the run failed or was canceled, or the server did
    BAD_INPUT = 2  #: the command, the recipe or an input is wrong
    WAITING = 3  #: a person must decide before the run goes on
    REFUSED = 4  #: money, permission or state forbids it


_OF_RUN = {"done": Exit.DONE, "waiting": Exit.WAITING}
_OF_STATUS = {401: Exit.REFUSED, 402: Exit.REFUSED, 403: Exit.REFUSED, 409: Exit.REFUSED, 429: Exit.REFUSED}


def of_run(run: Mapping[str, Any]) -> Exit:
    """How a run that nobody waits for any longer has ended."""
    return _OF_RUN.get(str(run["status"]), Exit.FAILED)


def of_problem(status: int) -> Exit:
    """What a problem document of that HTTP status means to a shell."""
    if status in _OF_STATUS:
        return _OF_STATUS[status]
    return Exit.BAD_INPUT if 400 <= status < 500 else Exit.FAILED
