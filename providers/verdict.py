"""What an answer, or the lack of one, means. Both transports and every adapter judge by this one map.

status          a call that costs nothing              the paid call
2xx             fine                                   fine
401 403         KeyRefused KEY_INVALID                 the same
402             KeyRefused INSUFFICIENT_CREDITS        the same
429             Unavailable RATE_LIMITED               the same: refused before it was accepted
3xx 408 5xx     Unavailable PROVIDER_UNAVAILABLE       SubmissionUnknown
other 4xx       Rejected PROVIDER_REJECTED             the same
no connection   Unavailable                            NotSent
no answer       Unavailable                            SubmissionUnknown
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from providers.contract import Call, Reply, Talk
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable

_LONGEST_RETRY_AFTER_S = 3600.0


def require_ok(reply: Reply, *, paid: bool = False) -> None:
    """Nothing when the answer is a success. Raises what the map above says when it is not."""
    if not 200 <= reply.status < 300:
        raise refusal(reply.status, reply.headers, paid=paid)


def refusal(status: int, headers: Mapping[str, str], *, paid: bool) -> ProviderError:
    """The error that an unsuccessful answer stands for."""
    if status in (401, 403):
        return KeyRefused()
    if status == 402:
        return KeyRefused("The account at the provider has no credit left.", reason="INSUFFICIENT_CREDITS")
    wait_s = retry_after_s(headers)
    if status == 429:
        return Unavailable("The provider asks us to slow down.", reason="RATE_LIMITED", retry_after_s=wait_s)
    if 400 <= status < 500 and status != 408:
        return Rejected()
    if paid:
        return SubmissionUnknown()
    return Unavailable(retry_after_s=wait_s)


def lost(call: Call, *, opened: bool) -> ProviderError:
    """The error of a call that got no answer. `opened`: was there ever a connection that could carry it?"""
    if not call.paid:
        return Unavailable("The provider could not be reached, or did not answer in time.")
    return SubmissionUnknown() if opened else NotSent()


def json_object(reply: Reply, *, paid: bool = False) -> dict[str, Any]:
    """The answer's JSON object. Raises SubmissionUnknown (paid) or Unavailable when it is none."""
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        return document
    if paid:
        raise SubmissionUnknown("The provider's answer to the submission makes no sense.")
    raise Unavailable("The provider's answer makes no sense.")


def ask(call: Call) -> Talk[dict[str, Any]]:
    """Make a call that costs nothing and read the JSON object that it is answered with. Raises what the map says."""
    reply = yield call
    require_ok(reply)
    return json_object(reply)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks us to wait, at most an hour; None when it does not say."""
    text = headers.get("retry-after")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_until(text)
    return min(seconds, _LONGEST_RETRY_AFTER_S) if seconds >= 0 else None


def _seconds_until(text: str) -> float:
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return -1.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max((when - datetime.now(UTC)).total_seconds(), 0.0)
