"""GMI Cloud's request queue: submit a model's payload, poll the request until it is over. Nothing can be canceled.

A request is a record: HTTP says 200 even when it failed, and speech and music are answered only when they are made. A
rate limit, too, may come as a record that failed.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from providers.contract import (
    Call,
    Generation,
    Job,
    JobState,
    Media,
    Output,
    Snapshot,
    Talk,
)
from providers.errors import NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.sheeted import SheetedProvider
from providers.verdict import json_object, require_ok
from providers.wire import idem_header

STATES = {  # their word: ours
    "created": JobState.QUEUED,
    "queued": JobState.QUEUED,
    "dispatched": JobState.RUNNING,
    "processing": JobState.RUNNING,
    "success": JobState.DONE,
    "failed": JobState.FAILED,
    "cancelled": JobState.CANCELED,
    "canceled": JobState.CANCELED,
}
_FILE_TYPES = {  # what a file is: what GMI calls it, and the content type that its upload is signed for
    "image/png": ("png", "image/png"),
    "image/jpeg": ("jpeg", "image/jpeg"),
    "audio/mpeg": ("mp3", "audio/mpeg"),
    "audio/wav": ("wav", "audio/wav"),
    "video/mp4": ("mp4", "video/mp4"),
}
_QUEUE = "/api/v1/ie/requestqueue/apikey"
_STORE = "storage.googleapis.com"
_UPLOAD_BYTES = 100_000_000
_RATE_LIMIT = re.compile(r"rate.?limit|too many requests|\bRPM\b", re.IGNORECASE)
_REFUSED = re.compile(r"moderat|sensitive|content.?policy|safety", re.IGNORECASE)  # no list of their words is published
_ONE = ("video_url", "audio_url", "image_url")
_MANY = ("media_urls", "media", "medias")


class Gmi(SheetedProvider):
    """See the module. The second line of a key, where there is one, is the organisation's id."""

    name = "gmi"
    files_rule = "GMI Cloud fetches files over http or https only."
    default_base_url = "https://console.gmicloud.ai"
    key_variable = "GMI_API_KEY"
    key_extras = ("GMI_ORG_ID",)
    submit_timeout_s = 240
    media_hosts = (_STORE, ".gmicloud.ai")

    def takes(self, file: Media) -> bool:
        return file.url is None or file.url.startswith(("https://", "http://"))

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model = self.sheets[generation.model]
        addresses = yield from self._addresses(model.files(generation), key)
        reply = yield Call(
            method="POST",
            url=self._url("/requests"),
            headers={**_auth(key), **idem_header(idem_key)},
            json={"model": generation.model, "payload": model.body(generation, addresses)},
            paid=True,
            timeout_s=self.submit_timeout_s if model.sync else None,
        )
        require_ok(reply, paid=True)
        record = _record(json_object(reply, paid=True))
        request_id = record.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise SubmissionUnknown("The provider's answer to the submission names no request.")
        return Job(request_id=request_id, model=generation.model, snapshot=_at_once(record))

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        url = self._url(f"/requests/{quote(job.request_id, safe='')}")
        reply = yield Call(method="GET", url=url, headers=_auth(key))
        if reply.status == 404:
            return Snapshot(state=JobState.FAILED, error_code="JOB_LOST", retryable=True)
        require_ok(reply)
        return _snapshot(_record(json_object(reply)))

    def check_key(self, *, key: str) -> Talk[bool]:
        require_ok((yield Call(method="GET", url=self._url("/models"), headers=_auth(key))))
        return True

    def _url(self, path: str) -> str:
        return f"{self.base_url}{_QUEUE}{path}"

    def _addresses(self, files: tuple[Media, ...], key: str) -> Talk[list[str]]:
        """Where GMI can read each file. Raises what says that nothing was bought."""
        addresses: list[str] = []
        try:
            for file in files:
                addresses.append(file.url or (yield from self._upload(file, key)))
        except Unavailable as exc:
            if exc.reason == "RATE_LIMITED":
                raise
            raise NotSent("A file could not be uploaded, so nothing was asked for.") from None
        return addresses

    def _upload(self, media: Media, key: str) -> Talk[str]:
        if media.content_type not in _FILE_TYPES:
            raise Rejected("A file is of a kind that GMI Cloud does not take.", reason="INPUT_UNREACHABLE")
        content = media.read() if media.read else b""
        if len(content) > _UPLOAD_BYTES:
            raise Rejected("A file is larger than GMI Cloud takes.")
        file_type, signed_for = _FILE_TYPES[media.content_type]
        call = Call(method="POST", url=self._url("/upload-url"), headers=_auth(key), json={"file_type": file_type})
        reply = yield call
        require_ok(reply)
        place = _record(json_object(reply))
        target, public = place.get("upload_url"), place.get("public_url")
        if not isinstance(target, str) or not isinstance(public, str) or not self._may_upload_to(target):
            raise Unavailable("The provider names a place for uploads that is not its own.")
        # The address itself is the permission, and its signature covers the content type; the key stays here.
        stored = yield Call(method="PUT", url=target, headers={"Content-Type": signed_for}, body=content)
        if not 200 <= stored.status < 300:
            raise Unavailable("The place for uploads would not take a file.")
        return public

    def _may_upload_to(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            trusted = parts.scheme == "https" and parts.hostname == _STORE and parts.port in (None, 443)
        except ValueError:
            return False
        return trusted or self.is_own(url)


def _auth(key: str) -> dict[str, str]:
    secret, _, organisation = key.partition("\n")
    headers = {"Authorization": f"Bearer {secret}"}
    return {**headers, "X-Organization-ID": organisation} if organisation else headers


def _record(answer: dict[str, Any]) -> dict[str, Any]:
    """The request's record, which some answers wrap."""
    inner = answer.get("data")
    return inner if isinstance(inner, dict) else answer


def _at_once(record: Mapping[str, Any]) -> Snapshot | None:
    """How the request ended, if the submission's own answer says so; a success without its result is asked about."""
    seen = _snapshot(record)
    return seen if seen.is_over and seen.error_code != "OUTPUT_MISSING" else None


def _snapshot(record: Mapping[str, Any]) -> Snapshot:
    # A word we do not know means "still working": the deadline ends the job, not a guess.
    state = STATES.get(str(record.get("status")).lower(), JobState.RUNNING)
    outcome = record.get("outcome")
    outcome = outcome if isinstance(outcome, dict) else {}
    if state is JobState.FAILED:
        code = _code(" ".join(_complaints(record, outcome)))
        return Snapshot(state=state, error_code=code, retryable=code != "CONTENT_REFUSED")
    if state is not JobState.DONE:
        return Snapshot(state=state)
    outputs = _outputs(outcome)
    if not outputs:
        return Snapshot(state=JobState.FAILED, error_code="OUTPUT_MISSING", retryable=True)
    return Snapshot(state=state, progress=1.0, outputs=outputs, seed=_seed(record, outcome))


def _code(complaint: str) -> str:
    if _RATE_LIMIT.search(complaint):
        return "RATE_LIMITED"
    return "CONTENT_REFUSED" if _REFUSED.search(complaint) else "PROVIDER_FAILED"


def _complaints(record: Mapping[str, Any], outcome: Mapping[str, Any]) -> Iterator[str]:
    """Everything that GMI says about the failure: read here, and never kept."""
    for said in (outcome.get("error"), record.get("error"), outcome.get("message"), record.get("message")):
        if isinstance(said, dict):
            yield from (str(part) for part in said.values())
        elif said is not None:
            yield str(said)


def _outputs(outcome: Mapping[str, Any]) -> tuple[Output, ...]:
    """The first field that holds results is taken: the others repeat them, or are pictures for a list."""
    for found in ([outcome.get(name)] for name in _ONE):
        if urls := _urls(found):
            return urls
    for many in (outcome.get(name) for name in _MANY):
        if isinstance(many, list) and (urls := _urls(many)):
            return urls
    return ()


def _urls(found: list[Any]) -> tuple[Output, ...]:
    urls = [one.get("url") if isinstance(one, dict) else one for one in found]
    good = [url for url in urls if isinstance(url, str) and url.startswith(("https://", "http://"))]
    return tuple(Output(url=url) for url in dict.fromkeys(good))


def _seed(record: Mapping[str, Any], outcome: Mapping[str, Any]) -> int | None:
    payload = record.get("payload")
    asked = payload.get("seed") if isinstance(payload, dict) else None
    seed = outcome.get("seed", asked)
    return seed if type(seed) is int and abs(seed) < 2**63 else None


PROVIDER = Gmi()
