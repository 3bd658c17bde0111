"""Lumen Labs for Zaps: a whole provider, to read from top to bottom and to copy.

Lumen does not exist. Its interface is what most vendors' looks like:

    POST /v1/jobs             {"model", "prompt", …}   201 {"id", "status": "queued"}     this one costs money
    GET  /v1/jobs/{id}        200 {"id", "status", "place", "progress", "files", "credits", "seed", "error"}
    POST /v1/jobs/{id}/stop   202, or 409 when the job has ended
    GET  /v1/me               200, or 401 for a key that it does not know

Zaps does the rest: it plans, reserves the money, calls `submit` once, `poll` until the job has ended, fetches and
stores the files. An adapter only translates. It does no I/O: each conversation is a generator that *yields* the calls
to make and is *sent* their answers, so that the same lines serve a worker's task, a loop with ten thousand polls, and a
test without a network.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from providers.contract import Call, CancelState, Cost, Generation, Job, JobState, Media, Output, Snapshot, Talk
from providers.errors import Rejected, SubmissionUnknown
from providers.prices import Price
from providers.sheet import ModelSheet
from providers.sheeted import SheetedProvider
from providers.verdict import json_object, require_ok
from providers.wire import data_url, idem_header

# What each model can do, and what its fields are called: from this alone come the defaults, the checks of a recipe
# before anything is spent, and the body of the request. A step may set what `params` names, and nothing else.
SHAPES = {"16:9": "1280x720", "1:1": "1024x1024", "9:16": "720x1280"}  # our word: theirs
MODELS = (
    ModelSheet(
        model="lumen-still",
        makes=("image.gen",),
        default_for=("image.gen",),  # when a recipe names no model
        image="reference",
        aspect="size",
        aspects=SHAPES,
        params=("seed",),
    ),
    ModelSheet(
        model="lumen-motion",
        makes=("video.gen",),
        default_for=("video.gen",),
        frame="first_frame",
        duration="seconds",
        durations=(Decimal(5), Decimal(10)),
        aspect="size",
        aspects=SHAPES,
        params=("seed",),
        variants={"resolution": ("720p", "1080p")},  # what changes the price; the first is sent when nobody asks
    ),
)

# What they cost, each in every variant. Without a price, or with one that nobody has verified for half a year, a live
# run is refused before it spends anything: so write down where you read it, and when, and release when you look again.
PAGE, READ_ON = "lumen.example/pricing", date(2026, 11, 21)
PRICES = tuple(
    Price(provider="lumen", model=model, variant=variant, unit=unit, usd=Decimal(usd), source=PAGE, verified_at=READ_ON)
    for model, variant, unit, usd in (
        ("lumen-still", "", "request", "0.02"),
        ("lumen-motion", "resolution=720p", "second", "0.05"),
        ("lumen-motion", "resolution=1080p", "second", "0.10"),
    )
)

STATES = {  # their word: ours
    "queued": JobState.QUEUED,
    "working": JobState.RUNNING,
    "ready": JobState.DONE,
    "failed": JobState.FAILED,
    "stopped": JobState.CANCELED,
}
# Why a job failed, in our codes. Their sentence is never kept: it repeats prompts, and sometimes signed addresses.
REASONS = {"moderation": "CONTENT_REFUSED", "bad_input": "PROVIDER_REJECTED"}  # to try these again would be in vain
USD_PER_CREDIT = Decimal("0.001")
MOST_CREDITS = 1_000_000  # a bill above this is no bill, but nonsense


class Lumen(SheetedProvider):
    """See the module."""

    name = "lumen"  # `provider: lumen` in a recipe; LUMEN_BASE_URL moves it to another origin, such as an emulator's
    default_base_url = "https://api.lumen.example"
    key_variable = "LUMEN_API_KEY"  # the operator's key; creators bring their own by `zap keys set lumen`
    media_hosts = (".lumen-files.example",)  # where results may lie, besides the origin; others are not fetched from
    supports_cancel = True
    models = MODELS
    prices = PRICES

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        """The call that costs money: exactly one has `paid=True`, and it is never repeated.

        `require_ok` and `json_object` know what a bad answer means there: refused is `Rejected` or `KeyRefused`, "not
        now" is `Unavailable`, and whatever leaves it open whether a job exists is `SubmissionUnknown`. Never guess.
        """
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        sheet = self.sheets[generation.model]
        addresses = [_address(file) for file in sheet.files(generation)]
        reply = yield Call(
            method="POST",
            url=f"{self.base_url}/v1/jobs",
            headers={**_auth(key), **idem_header(idem_key)},
            json={"model": generation.model, **sheet.body(generation, addresses)},
            paid=True,
        )
        require_ok(reply, paid=True)
        job_id = json_object(reply, paid=True).get("id")
        if not isinstance(job_id, str) or not job_id:
            raise SubmissionUnknown("The provider's answer to the submission names no job.")
        return Job(request_id=job_id, model=generation.model)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        """The job as it is now. All that is known of it is what `submit` returned; this may be another machine."""
        reply = yield Call(method="GET", url=self._url(job), headers=_auth(key))
        if reply.status == 404:
            return Snapshot(state=JobState.FAILED, error_code="JOB_LOST", retryable=True)
        require_ok(reply)
        return _snapshot(json_object(reply))

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        reply = yield Call(method="POST", url=f"{self._url(job)}/stop", headers=_auth(key))
        if reply.status == 404:
            return CancelState.NOT_FOUND
        if reply.status == 409:
            return CancelState.ALREADY_TERMINAL
        require_ok(reply)
        return CancelState.REQUESTED  # whether it heard in time, and what it bills, the next poll tells

    def check_key(self, *, key: str) -> Talk[bool]:
        """For `zap keys test`: one call that costs nothing."""
        require_ok((yield Call(method="GET", url=f"{self.base_url}/v1/me", headers=_auth(key))))
        return True

    # What Lumen has not, and others have: files that are uploaded first (gmi.py), results that are bytes (prodia.py),
    # webhooks (replicate.py), a way to find the job of a submission whose answer was lost (`recover`, runware.py).

    def _url(self, job: Job) -> str:
        return f"{self.base_url}/v1/jobs/{quote(job.request_id, safe='')}"


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _address(file: Media) -> str:
    """A step's own files are bytes, read only when they are wanted; a vendor that takes no such address has uploads."""
    return file.url or data_url(file.content_type, file.read() if file.read else b"")


def _snapshot(record: Mapping[str, Any]) -> Snapshot:
    """Whatever stands in the answer, this returns: a field that is not what it should be counts as not there."""
    # A word that is not in the table means "still working": the deadline ends a job, a guess must not.
    state = STATES.get(str(record.get("status")), JobState.RUNNING)
    cost = _cost(record)
    if state is JobState.FAILED:
        error = record.get("error")
        code = REASONS.get(str(error.get("type")) if isinstance(error, dict) else "")
        return Snapshot(state=state, error_code=code or "PROVIDER_FAILED", retryable=code is None, cost=cost)
    if state is JobState.CANCELED:
        return Snapshot(state=state, cost=cost)
    if state is not JobState.DONE:
        place = _number(record, "place", most=1_000_000)
        return Snapshot(
            state=state,
            progress=_number(record, "progress", most=1),
            queue_position=None if place is None else int(place),
        )
    outputs = _outputs(record)
    if not outputs:  # done is said only with results in hand
        return Snapshot(state=JobState.FAILED, error_code="OUTPUT_MISSING", retryable=True, cost=cost)
    return Snapshot(state=state, progress=1.0, outputs=outputs, cost=cost, seed=_seed(record))


def _outputs(record: Mapping[str, Any]) -> tuple[Output, ...]:
    files = record.get("files")
    found = [one for one in files if isinstance(one, str)] if isinstance(files, list) else []
    return tuple(Output(url=url) for url in found if url.startswith(("https://", "http://")))


def _cost(record: Mapping[str, Any]) -> Cost | None:
    """What they charged, from their units; None, and the price above is booked. `reported` where they say dollars."""
    credits = _number(record, "credits", most=MOST_CREDITS)
    return None if credits is None else Cost(usd=Decimal(str(credits)) * USD_PER_CREDIT, source="derived")


def _seed(record: Mapping[str, Any]) -> int | None:
    seed = record.get("seed")
    return seed if type(seed) is int and abs(seed) < 2**63 else None


def _number(record: Mapping[str, Any], name: str, *, most: float) -> float | None:
    """A number from 0 to `most`; None for anything else, such as true, NaN, or words."""
    value = record.get(name)
    return value if isinstance(value, int | float) and type(value) is not bool and 0 <= value <= most else None


PROVIDER = Lumen()
