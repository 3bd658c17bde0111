"""What a worker holds while it works: which attempt, and the token that proves it.

An attempt's public id is its run's id, a point and its number. The token is random, shown once, and kept as a digest.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.errors import NotFound

_ATTEMPT = re.compile(r"(frun_[0-9a-z]{1,24})\.([1-9][0-9]{0,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """One claimed run, and everything that is needed to run its step.

    `event` is the event as it was sent, with its receivedAt; `step` is the manifest's, as it stood when the run was
    made. `number` is the fence: an attempt with a greater one has replaced this one.
    """

    run_id: str
    number: int
    token: str = field(repr=False)
    until: datetime
    flow_name: str
    flow_version: float
    step_name: str
    runner: str
    replay: int
    max_attempts: int
    step: dict[str, Any]
    event: dict[str, Any]

    @property
    def attempt_id(self) -> str:
        """As workers name it."""
        return attempt_id(self.run_id, self.number)


def attempt_id(run_id: str, number: int) -> str:
    """`frun_4k9f2c8s1x7q3b5z.1`."""
    return f"{run_id}.{number}"


def new_token() -> str:
    """A fresh token. 192 random bits."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> bytes:
    """What is kept of a token: it has too many bits for anything slower to be needed."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()


def key(attempt: str, token: str) -> dict[str, Any]:
    """What a statement finds the lease by. Raises NotFound where this is no attempt's id."""
    run, number = split(attempt)
    return {"run": run, "number": number, "digest": digest(token)}


def split(attempt: str) -> tuple[str, int]:
    """The run's id and the number. Raises NotFound where this is no attempt's id."""
    found = _ATTEMPT.fullmatch(attempt)
    if found is None:
        raise NotFound(f"There is no attempt {attempt[:80]!r}.")
    return found[1], int(found[2])
