"""OpenRouter: pictures and speech that are the answer to their request, and clips that are asked about until they are.

What a synchronous request made is nowhere kept: whoever loses the answer has lost the result, though not its cost,
which is stored with the job. OpenRouter says of everything but speech what it charged. Nothing can be stopped.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from core.money import usd
from providers import price_list, webhooks
from providers.contract import (
    Billed,
    Call,
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
from providers.errors import Rejected, SubmissionUnknown, Unavailable
from providers.prices import Told
from providers.sheeted import SheetedProvider
from providers.sniff import HEAD_BYTES, sniff
from providers.verdict import json_object, refusal, require_ok, retry_after_s
from providers.wire import data_url, idem_header

STATES = {  # their word: ours
    "pending": JobState.QUEUED,
    "in_progress": JobState.RUNNING,
    "completed": JobState.DONE,
    "failed": JobState.FAILED,
    "expired": JobState.FAILED,
    "cancelled": JobState.CANCELED,
}
_REFUSED = re.compile(r"moderat|flagged|safety|sensitive|content.polic", re.IGNORECASE)
_ID = re.compile(r"[\w.-]{1,100}", re.ASCII)
_PICTURES = "input_references"
_FRAMES = "frame_images"
_INPUT_BYTES = 20_000_000
_RESULT_BYTES = 60_000_000
_MOST_RESULTS = 16
_MOST_USD = 10_000
_BILLED = "billed"  # among what is stored of a job: it was paid for, and it is not told how much


class OpenRouter(SheetedProvider):
    """See the module."""

    name = "openrouter"
    files_rule = "OpenRouter fetches files over http or https only."
    default_base_url = "https://openrouter.ai/api/v1"
    key_variable = "OPENROUTER_API_KEY"
    tells_prices = True
    webhooks = "signed"
    webhook_variable = "OPENROUTER_WEBHOOK_SECRET"
    submit_timeout_s = 180

    def download_headers(self, key: str) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {key}"}

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model = self.sheets[generation.model]
        asked = model.body(generation, [_address(file) for file in model.files(generation)])
        body = {"model": generation.model, **_wrapped(asked)}
        if callback_url and not model.sync:
            body["callback_url"] = callback_url
        reply = yield Call(
            method="POST",
            url=f"{self.base_url}{_path(generation.capability)}",
            headers={**self.download_headers(key), **idem_header(idem_key)},
            json=body,
            paid=True,
            timeout_s=self.submit_timeout_s if model.sync else None,
            most_bytes=_RESULT_BYTES,
        )
        if model.sync:
            return self._made(generation, reply, idem_key)
        _require_ok(reply, _error(_object(reply)), paid=True)
        request_id = json_object(reply, paid=True).get("id")
        if not isinstance(request_id, str) or not request_id:
            raise SubmissionUnknown("The provider's answer to the submission names no job.")
        return Job(request_id=request_id, model=generation.model)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        known = self.sheets.get(job.model)
        if known is not None and known.sync:
            return _failed("OUTPUT_EXPIRED", Billed() if _BILLED in job.urls else _cost(job.urls.get("usd")))
        reply = yield Call(method="GET", url=self._job_url(job), headers=self.download_headers(key))
        if reply.status == 404:
            return _failed("JOB_LOST")
        _require_ok(reply, _error(_object(reply)))
        return self._snapshot(job, json_object(reply))

    def read_webhook(self, hook: Hook, *, key: str, secret: str) -> Talk[Hint]:
        if secret:  # else, as with vendors who do not sign, its address alone proves it
            webhooks.require_stamped_signature(hook, "x-openrouter-signature", secret)
        job, event_id = webhooks.document(hook).get("data"), hook.headers.get("x-openrouter-idempotency-key", "")
        return Hint(request_id=webhooks.request_id(isinstance(job, dict) and job.get("id")), event_id=event_id)
        yield  # a generator that makes no call

    def check_key(self, *, key: str) -> Talk[bool]:
        reply = yield Call(method="GET", url=f"{self.base_url}/key", headers=self.download_headers(key))
        _require_ok(reply, _error(_object(reply)))
        return True

    def ask_prices(self, *, key: str) -> Talk[tuple[Told, ...]]:
        # Pictures and speech are sold by the token, which says nothing of a whole one.
        reply = yield Call(method="GET", url=f"{self.base_url}/videos/models", headers=self.download_headers(key))
        _require_ok(reply, _error(_object(reply)))
        listed = json_object(reply).get("data")
        entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        skus = {str(one.get("id")): one.get("pricing_skus") for one in entries}
        return tuple(
            price_list.by_second(sheet.model, variant, skus[sheet.model], {**sheet.always, **fields})
            for sheet in self.sheets.values()
            if sheet.model in skus
            for variant, fields in sheet.all_variants().items()
        )

    def _job_url(self, job: Job) -> str:
        return f"{self.base_url}/videos/{quote(job.request_id, safe='')}"

    def _snapshot(self, job: Job, answer: Mapping[str, Any]) -> Snapshot:
        word = str(answer.get("status"))
        # A word we do not know means "still working": the deadline ends the job, not a guess.
        state = STATES.get(word, JobState.RUNNING)
        cost = _charged(answer)
        if state is JobState.FAILED:
            if word == "expired":
                return _failed("OUTPUT_EXPIRED", cost)
            refused = _REFUSED.search(str(answer.get("error")))
            return _failed("CONTENT_REFUSED" if refused else "PROVIDER_FAILED", cost)
        if state is not JobState.DONE:
            return Snapshot(state=state, cost=cost if state is JobState.CANCELED else None)
        places = answer.get("unsigned_urls") or answer.get("urls")
        count = min(len(places), _MOST_RESULTS) if isinstance(places, list) else 0
        if not count:
            return _failed("OUTPUT_MISSING", cost)
        # The addresses given may lie anywhere; the job's own serves the same bytes to whoever shows the key.
        urls = (f"{self._job_url(job)}/content?index={index}" for index in range(count))
        outputs = tuple(Output(url=url, authorized=True) for url in urls)
        return Snapshot(state=state, progress=1.0, outputs=outputs, cost=cost)

    def _made(self, generation: Generation, reply: Reply, idem_key: str) -> Job:
        """What a synchronous answer comes to. A model that began and failed is answered as a success with an error."""
        answer = _object(reply)
        error = _error(answer)
        if error is not None and 200 <= reply.status < 300 and (_code(error) == 408 or _code(error) >= 500):
            seen = _failed("CONTENT_REFUSED" if _REFUSED.search(str(error)) else "PROVIDER_FAILED")
        else:
            _require_ok(reply, error, paid=True)
            seen = self._delivered(generation, reply, answer)
        named = reply.headers.get("x-generation-id", "")
        request_id = named if _ID.fullmatch(named) else f"zap-{hashlib.sha256(idem_key.encode()).hexdigest()[:24]}"
        spent = {"usd": str(seen.cost.usd)} if isinstance(seen.cost, Cost) else {_BILLED: "1"} if seen.cost else {}
        return Job(request_id=request_id, model=generation.model, urls=spent, snapshot=seen)

    def _delivered(self, generation: Generation, reply: Reply, answer: Mapping[str, Any]) -> Snapshot:
        cost: Cost | Billed | None
        if generation.capability.startswith("audio."):
            contents, cost = _sound(reply), Billed()  # of speech it is not told what it cost
        else:
            contents, cost = _pictures(answer), _charged(answer)
        if contents is None:
            raise SubmissionUnknown("The provider's answer to the submission makes no sense.")
        if not contents:
            return _failed("OUTPUT_MISSING", cost)
        outputs = tuple(Output(content=content) for content in contents)
        return Snapshot(state=JobState.DONE, progress=1.0, outputs=outputs, cost=cost)


def _path(capability: str) -> str:
    kind = capability.partition(".")[0]
    return {"image": "/images", "video": "/videos"}.get(kind, "/audio/speech")


def _address(media: Media) -> str:
    if media.url is not None:
        return media.url
    content = media.read() if media.read else b""
    if len(content) > _INPUT_BYTES:
        raise Rejected("A file is larger than OpenRouter takes.")
    return data_url(media.content_type, content)


def _wrapped(asked: dict[str, Any]) -> dict[str, Any]:
    """Pictures as OpenRouter wants them: each in an object of its own, the frame of a clip with its place."""
    if _PICTURES in asked:
        asked[_PICTURES] = [{"type": "image_url", "image_url": {"url": url}} for url in asked[_PICTURES]]
    if _FRAMES in asked:
        place = {"type": "image_url", "image_url": {"url": asked[_FRAMES]}, "frame_type": "first_frame"}
        asked[_FRAMES] = [place]
    return asked


def _require_ok(reply: Reply, error: Mapping[str, Any] | None, *, paid: bool = False) -> None:
    """As for everybody, but for what OpenRouter's own error object tells more exactly than the status."""
    if error is None:
        require_ok(reply, paid=paid)
        return
    status = _code(error) if 200 <= reply.status < 300 else reply.status
    metadata = error.get("metadata")
    if status == 403 and isinstance(metadata, dict) and ("reasons" in metadata or "flagged_input" in metadata):
        raise Rejected(reason="CONTENT_REFUSED")
    if status == 503:  # its own router found nobody to ask, so nothing was bought
        raise Unavailable(retry_after_s=retry_after_s(reply.headers))
    raise refusal(status, reply.headers, paid=paid)


def _object(reply: Reply) -> dict[str, Any]:
    """The answer's JSON object; {} where it is none."""
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _error(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """OpenRouter's own error object; None without one. The error of a clip is a sentence, and no such object."""
    error = answer.get("error")
    return error if isinstance(error, dict) else None


def _code(error: Mapping[str, Any]) -> int:
    code = error.get("code")
    return code if type(code) is int and 400 <= code < 600 else 500


def _failed(code: str, cost: Cost | Billed | None = None) -> Snapshot:
    return Snapshot(state=JobState.FAILED, error_code=code, retryable=code != "CONTENT_REFUSED", cost=cost)


def _charged(answer: Mapping[str, Any]) -> Cost | None:
    """What OpenRouter took; None where the model was paid for with somebody's own key at its vendor."""
    usage = answer.get("usage")
    if not isinstance(usage, dict) or usage.get("is_byok"):
        return None
    return _cost(usage.get("cost"))


def _cost(amount: object) -> Cost | None:
    if amount is None or isinstance(amount, bool):
        return None
    try:
        dollars = Decimal(str(amount))
        return Cost(usd=usd(dollars), source="reported") if 0 <= dollars <= _MOST_USD else None
    except InvalidOperation:  # also what comparing a NaN raises
        return None


def _pictures(answer: Mapping[str, Any]) -> list[bytes] | None:
    """The pictures of an answer; None where it is no such answer."""
    listed = answer.get("data")
    if not isinstance(listed, list):
        return None
    texts = [one.get("b64_json") for one in listed[:_MOST_RESULTS] if isinstance(one, dict)]
    return [content for text in texts if isinstance(text, str) and (content := _decoded(text))]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _sound(reply: Reply) -> list[bytes] | None:
    found = sniff(reply.body[:HEAD_BYTES])
    return [reply.body] if found and found[1] == "wav" else None


PROVIDER = OpenRouter()
