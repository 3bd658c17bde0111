"""What a look can say, and how a look that breaks is told."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from cli.faults import Fault

logger = logging.getLogger(__name__)


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"  #: it works, and something is unwise or will not work when it is asked for
    FAIL = "fail"  #: runs do not go on, or not as they should


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `remedy` is "" exactly when nothing is to be done."""

    check: str
    level: Level
    message: str
    remedy: str = ""


Look: TypeAlias = Callable[[], Iterable[Finding]]


def ok(check: str, message: str) -> Finding:
    """It is well."""
    return Finding(check=check, level=Level.OK, message=message)


def warn(check: str, message: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(check=check, level=Level.WARN, message=message, remedy=remedy)


def fail(check: str, message: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check=check, level=Level.FAIL, message=message, remedy=remedy)


def of_fault(check: str, fault: Fault) -> Finding:
    """What a verb would have been refused with."""
    remedy = fault.document.get("remediation") or "Mend that, and look again."
    return fail(check, f"{fault.document['code']}: {fault.document['detail']}", remedy)


def see(check: str, look: Look) -> Iterator[Finding]:
    """What it finds. A look that breaks is a finding too, since the others must still be made."""
    try:
        yield from look()
    except Fault as exc:
        yield of_fault(check, exc)
    except Exception as exc:
        logger.debug("check=%s", check, exc_info=True)
        # Its text may hold an address with a password in it.
        remedy = "Mend what the other lines say, and look again; ZAP_LOG_LEVEL=DEBUG shows where it broke."
        yield fail(check, f"It could not be looked at: {type(exc).__name__}.", remedy)
