"""Replicate: one prediction a job, of a model that Replicate itself keeps; polled and stopped by the addresses it gave.

A prediction ends as succeeded, failed, canceled or aborted (its deadline passed before it began; not billed). What it
cost is not told. Results are deleted there after an hour.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from core.money import ZERO
from providers import multipart, webhooks
from providers.contract import (
    Billed,
    Call,
    CancelState,
    Cost,
    Generation,
    Hint,
    Hook,
    Job,
    JobState,
    Media,
    Output,
    Reply,
    Snapshot,
    Talk,
)
from providers.errors import NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.sheeted import SheetedProvider
from providers.verdict import json_object, require_ok
from providers.wire import data_url, idem_header

STATES = {  # their word: ours
    "starting": JobState.QUEUED,
    "processing": JobState.RUNNING,
    "succeeded": JobState.DONE,
    "failed": JobState.FAILED,
    "aborted": JobState.FAILED,
    "canceled": JobState.CANCELED,
}
ERRORS = {  # the mark that some models put into their error: our code; all others are PROVIDER_FAILED
    "E003": "PROVIDER_UNAVAILABLE",
    "E004": "PROVIDER_UNAVAILABLE",
    "E005": "CONTENT_REFUSED",
    "E006": "PROVIDER_REJECTED",
    "NSFW": "CONTENT_REFUSED",
}
_FINAL = frozenset({"CONTENT_REFUSED", "PROVIDER_REJECTED"})
_MARK = re.compile(r"\bE\d{3,4}\b|\bNSFW\b")
_BAR = re.compile(r"\b(\d{1,3})%\|")
_RESETS_IN = re.compile(rb"resets in ~?(\d{1,4})s")
_CANCEL_AFTER = "1h"  # as our own deadline: nothing runs, and is paid for, that nobody waits for
_INLINE_BYTES = 256_000  # what is smaller travels inside the request
_UPLOAD_BYTES = 100_000_000
_DEPTH = 3  # how deep in a result addresses are looked for


class Replicate(SheetedProvider):
    """See the module."""

    name = "replicate"
    files_rule = "Replicate fetches files over http or https only."
    default_base_url = "https://api.replicate.com"
    key_variable = "REPLICATE_API_TOKEN"
    supports_cancel = True
    webhooks = "signed"
    webhook_variable = "REPLICATE_WEBHOOK_SECRET"  # else Replicate is asked for it
    webhook_needs_key = True
    media_hosts = ("replicate.delivery", ".replicate.delivery")

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model = self.sheets[generation.model]
        addresses = yield from self._addresses(model.files(generation), key)
        body: dict[str, Any] = {"input": model.body(generation, addresses)}
        if callback_url:
            body |= {"webhook": callback_url, "webhook_events_filter": ["completed"]}
        reply = yield Call(
            method="POST",
            url=f"{self.base_url}/v1/models/{generation.model}/predictions",
            headers={**_auth(key), **idem_header(idem_key), "Cancel-After": _CANCEL_AFTER},
            json=body,
            paid=True,
        )
        _require_ok(reply, paid=True)
        prediction = json_object(reply, paid=True)
        request_id = prediction.get("id")
        if not isinstance(request_id, str) or not request_id:
            raise SubmissionUnknown("The provider's answer to the submission names no job.")
        seen = _snapshot(prediction)
        return Job(
            request_id=request_id,
            model=generation.model,
            urls=self._urls(prediction),
            snapshot=seen if seen.is_over else None,
        )

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        reply = yield Call(method="GET", url=self._url(job, "get", ""), headers=_auth(key))
        if reply.status == 404:
            return Snapshot(state=JobState.FAILED, error_code="JOB_LOST", retryable=True)
        _require_ok(reply)
        return _snapshot(json_object(reply))

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        reply = yield Call(method="POST", url=self._url(job, "cancel", "/cancel"), headers=_auth(key))
        if reply.status == 404:
            return CancelState.NOT_FOUND
        _require_ok(reply)
        # One that was over already is answered as it stands.
        state = STATES.get(str(json_object(reply).get("status")))
        if state is JobState.CANCELED:
            return CancelState.CANCELED
        return CancelState.ALREADY_TERMINAL if state in (JobState.DONE, JobState.FAILED) else CancelState.REQUESTED

    def read_webhook(self, hook: Hook, *, key: str, secret: str) -> Talk[Hint]:
        ask_for_it = Call(method="GET", url=f"{self.base_url}/v1/webhooks/default/secret", headers=_auth(key))
        event_id = yield from webhooks.standard_event(hook, secret=secret, otherwise=ask_for_it)
        return Hint(request_id=webhooks.request_id(webhooks.document(hook).get("id")), event_id=event_id)

    def check_key(self, *, key: str) -> Talk[bool]:
        reply = yield Call(method="GET", url=f"{self.base_url}/v1/account", headers=_auth(key))
        _require_ok(reply)
        return True

    def _urls(self, prediction: Mapping[str, Any]) -> dict[str, str]:
        urls = prediction.get("urls")
        named = urls if isinstance(urls, dict) else {}
        return {name: named[name] for name in ("get", "cancel") if self.is_own(named.get(name))}

    def _url(self, job: Job, name: str, ending: str) -> str:
        """The address that the submission returned, if it is Replicate's own, else the one that it would have been."""
        stored = job.urls.get(name)
        if stored is not None and self.is_own(stored):
            return stored
        return f"{self.base_url}/v1/predictions/{quote(job.request_id, safe='')}{ending}"

    def _addresses(self, files: tuple[Media, ...], key: str) -> Talk[list[str]]:
        addresses = []
        try:
            for file in files:
                addresses.append((yield from self._address(file, key)))
        except Unavailable as exc:
            if exc.reason == "RATE_LIMITED":
                raise
            raise NotSent("A file could not be uploaded, so nothing was asked for.") from None
        return addresses

    def _address(self, media: Media, key: str) -> Talk[str]:
        """Where Replicate can read the file: its own address, the bytes themselves, or an upload."""
        if media.url is not None:
            return media.url
        content = media.read() if media.read else b""
        if len(content) <= _INLINE_BYTES:
            return data_url(media.content_type, content)
        if len(content) > _UPLOAD_BYTES:
            raise Rejected("A file is larger than Replicate takes.")
        ending = media.content_type.partition("/")[2] or "bin"
        part = multipart.Part(content=content, content_type=media.content_type, filename=f"input.{ending}")
        content_type, body = multipart.write({"content": part})
        headers = {**_auth(key), "Content-Type": content_type}
        reply = yield Call(method="POST", url=f"{self.base_url}/v1/files", headers=headers, body=body)
        _require_ok(reply)
        urls = json_object(reply).get("urls")
        address = urls.get("get") if isinstance(urls, dict) else None
        if not isinstance(address, str):
            raise Unavailable("The provider did not say where the upload lies.")
        return address


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _require_ok(reply: Reply, *, paid: bool = False) -> None:
    """As for everybody, but Replicate says in a sentence when its limit is lifted."""
    found = _RESETS_IN.search(reply.body) if reply.status == 429 and "retry-after" not in reply.headers else None
    if found:
        wait_s = float(found[1])
        raise Unavailable("The provider asks us to slow down.", reason="RATE_LIMITED", retry_after_s=wait_s)
    require_ok(reply, paid=paid)


def _snapshot(prediction: Mapping[str, Any]) -> Snapshot:
    word = str(prediction.get("status"))
    # A word we do not know means "still working": the deadline ends the job, not a guess.
    state = STATES.get(word, JobState.RUNNING)
    if state is JobState.DONE:
        return _done(prediction)
    if word == "aborted":
        unbilled = Cost(usd=ZERO, source="reported")
        return Snapshot(state=state, error_code="PROVIDER_UNAVAILABLE", retryable=True, cost=unbilled)
    if state is JobState.FAILED:
        found = _MARK.search(str(prediction.get("error")))
        code = ERRORS.get(found[0] if found else "", "PROVIDER_FAILED")
        return Snapshot(state=state, error_code=code, retryable=code not in _FINAL)
    if state is JobState.CANCELED and prediction.get("started_at"):
        return Snapshot(state=state, cost=Billed())
    return Snapshot(state=state, progress=_progress(prediction) if state is JobState.RUNNING else None)


def _done(prediction: Mapping[str, Any]) -> Snapshot:
    outputs = tuple(Output(url=url) for url in _addresses_in(prediction.get("output")))
    if not outputs:
        code = "OUTPUT_EXPIRED" if prediction.get("data_removed") is True else "OUTPUT_MISSING"
        return Snapshot(state=JobState.FAILED, error_code=code, retryable=True, cost=Billed())
    seed = _asked(prediction).get("seed")
    kept = seed if type(seed) is int and abs(seed) < 2**63 else None
    return Snapshot(state=JobState.DONE, progress=1.0, outputs=outputs, seed=kept)


def _asked(prediction: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = prediction.get("input")
    return asked if isinstance(asked, dict) else {}


def _progress(prediction: Mapping[str, Any]) -> float | None:
    """By the last bar that the model drew into its log."""
    bars = _BAR.findall(str(prediction.get("logs"))[-2000:])
    return min(int(bars[-1]), 100) / 100 if bars else None


def _addresses_in(output: object, depth: int = _DEPTH) -> list[str]:
    """An output is an address, a list of them, or an object with some; in their order."""
    if isinstance(output, str):
        return [output] if output.startswith(("https://", "http://", "data:")) else []
    inner = output.values() if isinstance(output, dict) else output if isinstance(output, list) else ()
    return [url for one in inner for url in _addresses_in(one, depth - 1)] if depth else []


PROVIDER = Replicate()
