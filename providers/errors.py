"""How a provider can fail us. The engine looks at the class and `retryable`, never at the text.

ProviderError
├── NotSent            the request never left: safe to try again
│   └── NeverTaken         the provider knows of no such job
├── SubmissionUnknown  it may have arrived: never send it twice
├── Rejected           the provider read it and said no
│   └── AddressRefused     it would have led where nothing may be sent: nobody has read it
├── KeyRefused         our credential is missing, wrong, expired or out of credit
├── Unavailable        busy or down: ask again later
├── WebhookRefused     a webhook that is not to be believed
└── OutputError        the job ended well, and its result cannot be had
    ├── OutputUnavailable  the network failed on the way: fetch it again
    ├── OutputRefused      its address is not one that we fetch from
    ├── OutputExpired      it is gone
    ├── OutputTooLarge     larger, or slower, than we take
    └── OutputInvalid      it is not a picture, clip or sound

`code` is one of the codes below: stable, ours, and free of the provider's own words, since those echo
prompts and signed addresses.
"""

from typing import Any, ClassVar

from core.errors import ZapsError


class ProviderError(ZapsError):
    """A provider did not do what we asked."""

    code: ClassVar[str] = "PROVIDER_FAILED"
    title = "The provider failed."
    status = 502

    def __init__(
        self, detail: str = "", *, reason: str | None = None, retry_after_s: float | None = None, **extra: Any
    ) -> None:
        """`reason` overrides the class's code with a narrower one; `retry_after_s` is what the provider asked for."""
        super().__init__(detail, **extra)
        self.reason = reason or self.code
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[Any, ...]:
        extra = {**self.extra, "reason": self.reason, "retry_after_s": self.retry_after_s}
        return (_rebuild, (type(self), self.detail, extra))


def _rebuild(kind: type[ProviderError], detail: str, extra: dict[str, Any]) -> ProviderError:
    return kind(detail, **extra)


class NotSent(ProviderError):
    """The request never reached the provider; nothing was bought."""

    code = "SUBMISSION_UNAVAILABLE"
    title = "The provider could not be reached."
    retryable = True


class NeverTaken(NotSent):
    """The provider says that it has no such job. Nothing was bought, unless the request is still on its way."""


class SubmissionUnknown(ProviderError):
    """The provider may or may not have accepted the job."""

    code = "SUBMISSION_UNKNOWN"
    title = "It is not known whether the provider accepted the job."


class Rejected(ProviderError):
    """The provider read the request and refused it."""

    code = "PROVIDER_REJECTED"
    title = "The provider refused the request."


class AddressRefused(Rejected):
    """The call leads to a private address, or to another host than its provider's. It was not made."""

    code = "ADDRESS_REFUSED"
    title = "The call leads where nothing may be sent."


class KeyRefused(ProviderError):
    """The key is missing, wrong, or its account has no credit: KEY_MISSING, KEY_INVALID, INSUFFICIENT_CREDITS."""

    code = "KEY_INVALID"
    title = "The provider refused the key."


class Unavailable(ProviderError):
    """Busy or down, and nothing was accepted: RATE_LIMITED or PROVIDER_UNAVAILABLE."""

    code = "PROVIDER_UNAVAILABLE"
    title = "The provider is busy or down."
    retryable = True


class WebhookRefused(ProviderError):
    """Not the provider's (WEBHOOK_FORGED), too old or from the future (WEBHOOK_STALE), or WEBHOOK_MALFORMED."""

    code = "WEBHOOK_REFUSED"
    title = "The webhook was refused."
    status = 401


class OutputError(ProviderError):
    """A finished job's result could not be fetched. Fetching never buys anything."""

    code = "OUTPUT_UNAVAILABLE"
    title = "The result could not be fetched."


class OutputUnavailable(OutputError):
    """The network, or the host that serves the result, failed on the way."""

    retryable = True


class OutputRefused(OutputError):
    """The result lies where we do not fetch from: another host, scheme or port, or a private address."""

    code = "OUTPUT_REFUSED"
    title = "The result's address is not one that we fetch from."


class OutputExpired(OutputError):
    """The host no longer has the result."""

    code = "OUTPUT_EXPIRED"
    title = "The result was gone before it could be fetched."


class OutputTooLarge(OutputError):
    """More bytes than the cap of its class of media."""

    code = "OUTPUT_TOO_LARGE"
    title = "The result is larger than we take."


class OutputInvalid(OutputError):
    """The bytes are no picture, clip, sound or JSON document, whatever they are called."""

    code = "OUTPUT_VALIDATION_FAILED"
    title = "The result is not media that we know."
