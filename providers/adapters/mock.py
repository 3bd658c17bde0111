"""The provider that costs nothing: no network, no key, the same result for the same request; late or failing on demand.

A job's address holds all that is known about it, so any process can poll it. A step may ask for trouble in its
parameters: `mock: {latency_s: 3, fail: PROVIDER_FAILED}`; ZAP_MOCK_LATENCY_S sets the latency of all others.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from providers.contract import (
    CancelState,
    Cost,
    Generation,
    Job,
    JobState,
    Output,
    Provider,
    Snapshot,
    Talk,
)
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable
from providers.mock_media import MockMedia

MAKES = {
    "image.gen": "png",
    "image.edit": "png",
    "image.upscale": "png",
    "video.gen": "mp4",
    "video.extend": "mp4",
    "video.edit": "mp4",
    "video.upscale": "mp4",
    "audio.tts": "wav",
    "audio.music": "wav",
    "audio.sfx": "wav",
}
_AT_SUBMIT: dict[str, type[ProviderError]] = {  # what `fail:` can ask for before there is a job; the rest fails later
    "SUBMISSION_UNAVAILABLE": NotSent,
    "SUBMISSION_UNKNOWN": SubmissionUnknown,
    "PROVIDER_REJECTED": Rejected,
    "KEY_INVALID": KeyRefused,
    "INSUFFICIENT_CREDITS": KeyRefused,
    "RATE_LIMITED": Unavailable,
    "PROVIDER_UNAVAILABLE": Unavailable,
}
_LONG_SIDE = 640
_LARGER = 2  # whatever scale is asked for: a rehearsal need not draw 4k
_QUEUED_SHARE = 0.1  # the part of the latency that is spent "queued"


class Mock(Provider):
    """See the module."""

    name = "mock"
    variables = ("ZAP_MOCK_LATENCY_S",)
    supports_cancel = True

    def __init__(self, base_url: str | None = None, latency_s: str | None = None) -> None:
        super().__init__(base_url)
        self.latency_s = float(latency_s or 0)

    def default_model(self, capability: str) -> str | None:
        return f"mock/{capability}" if capability in MAKES else None

    def tier_model(self, capability: str, tier: str) -> str | None:
        return self.default_model(capability)

    def check(self, generation: Generation) -> list[tuple[str, str]]:
        problems = []
        if generation.capability not in MAKES:
            problems.append(("kind", f"The mock does not do {generation.capability}."))
        options = generation.params.get("mock", {})
        if not isinstance(options, Mapping):
            problems.append(("params.mock", "`mock` holds latency_s and fail."))
        elif not _is_latency(options.get("latency_s", 0)):
            problems.append(("params.mock.latency_s", "The latency is a number of seconds, from 0."))
        return problems

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        options = generation.params.get("mock", {})
        fail = options.get("fail")
        if fail in _AT_SUBMIT:
            raise _AT_SUBMIT[fail](reason=fail)
        latency_s = float(options.get("latency_s", self.latency_s))
        job = {"at": time.time(), "latency_s": latency_s, "fail": fail, "media": _media(generation).url()}
        asked = hashlib.sha256(f"{_digest(generation)}{idem_key}".encode()).hexdigest()
        return Job(request_id=f"mock_{asked[:18]}", model=generation.model, urls={"mock": json.dumps(job)})
        yield  # a generator that makes no call

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        known = json.loads(job.urls["mock"])
        share = _share(known)
        if share < 1:
            queued = share < _QUEUED_SHARE
            state = JobState.QUEUED if queued else JobState.RUNNING
            return Snapshot(state=state, progress=round(share, 3), queue_position=0 if queued else None)
        free = Cost(usd=Decimal(0), source="reported")
        if known["fail"]:
            return Snapshot(state=JobState.FAILED, error_code=known["fail"], retryable=True, cost=free)
        return Snapshot(
            state=JobState.DONE,
            progress=1.0,
            outputs=(Output(url=known["media"]),),
            cost=free,
            seed=int(MockMedia.parse(known["media"]).seed),
        )
        yield  # a generator that makes no call

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        """Like most vendors, the mock hears the request and goes on: it keeps no memory in which to stop."""
        return CancelState.ALREADY_TERMINAL if _share(json.loads(job.urls["mock"])) >= 1 else CancelState.REQUESTED
        yield  # a generator that makes no call


def _share(known: Mapping[str, Any]) -> float:
    """How much of the latency has passed, 0..1."""
    latency_s = float(known["latency_s"])
    return 1.0 if latency_s <= 0 else min(max((time.time() - known["at"]) / latency_s, 0.0), 1.0)


def _media(generation: Generation) -> MockMedia:
    kind = MAKES[generation.capability]
    seed = generation.params.get("seed")
    if not isinstance(seed, int) or isinstance(seed, bool):
        seed = int(_digest(generation)[:8], 16) + generation.variation
    width, height = _size(generation.aspect)
    if generation.capability == "image.upscale":
        width, height = width * _LARGER, height * _LARGER
    return MockMedia(
        kind=kind,
        seed=str(seed),
        label=" ".join(generation.prompt.split())[:48] or generation.capability,
        width=width,
        height=height,
        duration_s=generation.duration_s or Decimal(3),
    )


def _digest(generation: Generation) -> str:
    asked = [generation.capability, generation.model, generation.prompt, generation.aspect, str(generation.duration_s)]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _size(aspect: str | None) -> tuple[int, int]:
    """Pixels for "16:9" and the like; both even, as video wants them."""
    try:
        wide, high = (float(part) for part in (aspect or "16:9").split(":"))
        short = round(_LONG_SIDE * min(wide, high) / max(wide, high) / 2) * 2
    except (ValueError, ZeroDivisionError):
        wide, high, short = 16, 9, 360
    short = max(short, 64)
    return (_LONG_SIDE, short) if wide >= high else (short, _LONG_SIDE)


def _is_latency(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


PROVIDER = Mock()
