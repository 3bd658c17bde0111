"""Whether providers answer, and take their keys. Nothing that is asked here costs anything."""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace

from providers import http
from providers.contract import Call, Provider, Talk
from providers.errors import AddressRefused, KeyRefused, ProviderError, Rejected
from providers.verdict import refusal

logger = logging.getLogger(__name__)

WITHIN_S = 8.0
_TIMEOUT_S = (3.0, 6.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came of it. `answers` None: there is nowhere to ask; `takes_key` None: it was not asked, or cannot be told.

    `code` and `message` say what was wrong; None and "" where nothing was.
    """

    answers: bool | None
    takes_key: bool | None = None
    code: str | None = None
    message: str = ""
    took_ms: int = 0


def reach(provider: Provider, *, key: str) -> Talk[Reached]:
    """Ask whether it takes the key; where there is none, or that cannot be told, whether anybody is there at all.

    Any answer is one, also that the caller is not known. Raises nothing that is a provider's.
    """
    if not provider.base_url:
        return Reached(answers=None)
    try:
        if (key or provider.key_is_optional) and (yield from provider.check_key(key=key)):
            return Reached(answers=True, takes_key=True if key else None)
        yield from _knock(provider)
    except KeyRefused as exc:
        return _told(exc, answers=True, takes_key=False)
    except ProviderError as exc:
        is_answer = isinstance(exc, Rejected) and not isinstance(exc, AddressRefused)
        return _told(exc, answers=is_answer or exc.reason == "RATE_LIMITED")
    return Reached(answers=True)


def reach_all(talks: Mapping[str, Talk[Reached]], *, within_s: float = WITHIN_S) -> dict[str, Reached]:
    """What comes of each, held all at once; who has not answered by then counts as silent."""
    asked = {name: _ask(name, talk) for name, talk in talks.items()}
    wait(asked.values(), timeout=within_s)
    return {name: _result(future, within_s) for name, future in asked.items()}


def _ask(name: str, talk: Talk[Reached]) -> Future[Reached]:
    # A thread that nobody waits for, nor does the process's end: what hangs may be a look-up of a name, which has no
    # time-out of its own.
    answer: Future[Reached] = Future()
    threading.Thread(target=lambda: answer.set_result(_hold(name, talk)), name=f"reach-{name}", daemon=True).start()
    return answer


def _knock(provider: Provider) -> Talk[None]:
    """A bare question, which carries nothing and so can cost nothing."""
    reply = yield Call(method="GET", url=provider.base_url, home=provider.home)
    if reply.status >= 500:
        raise refusal(reply.status, reply.headers, paid=False)


def _hold(name: str, talk: Talk[Reached]) -> Reached:
    begun = time.monotonic()
    try:
        found = http.hold(talk, timeout_s=_TIMEOUT_S)
    except Exception as exc:  # one adapter that is broken must not hide the others; its words may hold the key
        logger.error("provider=%s reach=broken error=%s", name, type(exc).__name__)
        found = Reached(answers=None, code="PROVIDER_FAILED", message="The adapter failed.")
    return replace(found, took_ms=round((time.monotonic() - begun) * 1000))


def _result(future: Future[Reached], within_s: float) -> Reached:
    if future.done():
        return future.result()
    message = "The provider did not answer in time."
    return Reached(answers=False, code="PROVIDER_UNAVAILABLE", message=message, took_ms=round(within_s * 1000))


def _told(exc: ProviderError, *, answers: bool, takes_key: bool | None = None) -> Reached:
    return Reached(answers=answers, takes_key=takes_key, code=exc.reason, message=exc.detail)
