"""fal.ai's queue: submit, poll by the addresses that the submission returned, fetch the result, cancel.

fal has no "failed": a job is COMPLETED with an error beside it, or with an error where its result should be.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from providers import price_list, webhooks
from providers.contract import (
    Billed,
    Call,
    CancelState,
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
from providers.prices import Told
from providers.sheeted import SheetedProvider
from providers.verdict import ask, json_object, require_ok

STATES = {  # their word: ours
    "IN_QUEUE": JobState.QUEUED,
    "IN_PROGRESS": JobState.RUNNING,
    "COMPLETED": JobState.DONE,
}
ERRORS = {  # their error type: our code; all others are PROVIDER_FAILED
    "bad_request": "PROVIDER_REJECTED",
    "content_policy_violation": "CONTENT_REFUSED",
    "file_download_error": "INPUT_UNREACHABLE",
    "image_load_error": "INPUT_UNREACHABLE",
    "no_media_generated": "OUTPUT_MISSING",
}
CANCELED = frozenset({"client_cancelled", "client_disconnected"})
_REST = "https://rest.fal.ai"
_API = "https://api.fal.ai"
_JWKS = "https://rest.alpha.fal.ai/.well-known/jwks.json"
_THREE_PART = frozenset({"workflows", "comfy"})  # namespaces whose queue addresses keep one segment more
_MOMENT = re.compile(r"[0-9T:.Z+ -]{1,32}", re.ASCII)
_LEVELS = ("STDERR", "STDOUT", "ERROR", "INFO", "WARN", "DEBUG")
_START_WITHIN_S = 3600  # a job that has not started by then is dropped there, as our own deadline drops it here
_KEEP_FOR_S = 86_400  # results are copied at once; their public address need not live longer
_INLINE_BYTES = 256_000  # what is smaller travels inside the request
_UPLOAD_BYTES = 100_000_000
_MOST_UNITS = 1_000_000
_PRICES_AT_ONCE = 50
_MANY = ("images", "videos", "audios")
_ONE = ("image", "video", "audio", "audio_file", "audio_url")


class Fal(SheetedProvider):
    """See the module. `rest_url` is where files are uploaded: rest.fal.ai, or, for another origin, that origin."""

    name = "fal"
    files_rule = "fal fetches files over http or https only."
    default_base_url = "https://queue.fal.run"
    variables = ("FAL_REST_BASE_URL",)
    key_variable = "FAL_KEY"
    supports_cancel = True
    tells_prices = True
    webhooks = "signed"
    media_hosts = (".fal.media",)

    def __init__(self, base_url: str | None = None, rest_url: str | None = None) -> None:
        super().__init__(base_url)
        own = self.base_url if base_url else _REST
        self.rest_url = (rest_url or own).rstrip("/")
        self.home = self.home.and_at(self.rest_url, is_named=bool(rest_url or base_url))
        self.api_url = self.base_url if base_url else _API
        self.home = self.home.and_at(self.api_url, is_named=bool(base_url))
        self.jwks_url = f"{self.base_url}/.well-known/jwks.json" if base_url else _JWKS

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model = self.sheets[generation.model]
        try:
            addresses: list[str] = []
            for file in model.files(generation):
                addresses.append((yield from self._address(file, key)))
        except Unavailable as exc:
            if exc.reason == "RATE_LIMITED":
                raise
            raise NotSent("A file could not be uploaded, so nothing was asked for.") from None
        headers = {
            **_auth(key),
            "X-Fal-Request-Timeout": str(_START_WITHIN_S),
            "X-Fal-No-Retry": "1",  # one attempt of ours is one execution of theirs
            "X-Fal-Object-Lifecycle-Preference": json.dumps({"expiration_duration_seconds": _KEEP_FOR_S}),
            "X-Zap-Idem-Key": hashlib.sha256(
                idem_key.encode()
            ).hexdigest(),  # fal ignores it; a journal can count by it
        }
        body = model.body(generation, addresses)
        url = f"{self.base_url}/{generation.model}"
        if callback_url is not None:
            url += "?" + urlencode({"fal_webhook": callback_url})
        reply = yield Call(method="POST", url=url, headers=headers, json=body, paid=True)
        if reply.status == 422:
            raise Rejected(reason=ERRORS.get(_error_type(reply) or "", "PROVIDER_REJECTED"))
        require_ok(reply, paid=True)
        answer = json_object(reply, paid=True)
        request_id = answer.get("request_id")
        if not isinstance(request_id, str) or not request_id:
            raise SubmissionUnknown("The provider's answer to the submission names no job.")
        named = {name: answer.get(name) for name in ("status_url", "response_url", "cancel_url")}
        urls = {name: url for name, url in named.items() if isinstance(url, str) and self.is_own(url)}
        return Job(request_id=request_id, model=generation.model, urls=urls)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        url = f"{self._url(job, 'status_url', '/status')}?logs=1"
        reply = yield Call(method="GET", url=url, headers=_auth(key))
        if reply.status == 404:
            return Snapshot(state=JobState.FAILED, error_code="JOB_LOST", retryable=True)
        require_ok(reply)
        status = json_object(reply)
        # A word we do not know means "still working": the deadline ends the job, not a guess.
        state = STATES.get(str(status.get("status")), JobState.RUNNING)
        logs = _sanitised(status.get("logs"))
        if state is not JobState.DONE:
            place = status.get("queue_position")
            return Snapshot(state=state, queue_position=place if isinstance(place, int) else None, logs=logs)
        if status.get("error") or status.get("error_type"):
            return _failed(str(status.get("error_type")), retryable=True, logs=logs)
        reply = yield Call(method="GET", url=self._url(job, "response_url", ""), headers=_auth(key))
        return self._result(reply, logs)

    def check_key(self, *, key: str) -> Talk[bool]:
        return bool((yield from self._upload_token(key)))

    def ask_prices(self, *, key: str) -> Talk[tuple[Told, ...]]:
        # One price is told for an endpoint: which of several it is, or of what size, is not.
        sheets = [sheet for sheet in self.sheets.values() if not sheet.variants and not sheet.price_varies]
        told: list[Told] = []
        for start in range(0, len(sheets), _PRICES_AT_ONCE):
            asked = [("endpoint_id", sheet.model) for sheet in sheets[start : start + _PRICES_AT_ONCE]]
            call = Call(method="GET", url=f"{self.api_url}/v1/models/pricing?{urlencode(asked)}", headers=_auth(key))
            told += price_list.by_unit((yield from ask(call)).get("prices"), models=self.sheets)
        return tuple(told)

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        reply = yield Call(method="PUT", url=self._url(job, "cancel_url", "/cancel"), headers=_auth(key))
        if reply.status == 404:
            return CancelState.NOT_FOUND
        if reply.status == 400:
            return CancelState.ALREADY_TERMINAL
        require_ok(reply)
        return CancelState.CANCELED if reply.status == 200 else CancelState.REQUESTED

    def read_webhook(self, hook: Hook, *, key: str, secret: str) -> Talk[Hint]:
        signed = [webhooks.header(hook, f"x-fal-webhook-{name}") for name in ("request-id", "user-id", "timestamp")]
        webhooks.require_fresh(hook, signed[2])
        message = "\n".join([*signed, hashlib.sha256(hook.body).hexdigest()]).encode()
        signature = webhooks.unhex(webhooks.header(hook, "x-fal-webhook-signature"))
        yield from webhooks.require_key_signature(self.jwks_url, message, signature)
        request_id = webhooks.request_id(webhooks.document(hook).get("request_id"))
        return Hint(request_id=request_id, sender=webhooks.request_id(signed[1]))  # fal signs for all its customers

    def _url(self, job: Job, name: str, ending: str) -> str:
        """The address that the submission returned, if it is fal's own, else the one that fal would have returned."""
        stored = job.urls.get(name)
        if stored is not None and self.is_own(stored):
            return stored
        parts = job.model.split("/")
        app = "/".join(parts[: 3 if parts[0] in _THREE_PART else 2])
        return f"{self.base_url}/{app}/requests/{quote(job.request_id, safe='')}{ending}"

    def _result(self, reply: Reply, logs: tuple[str, ...]) -> Snapshot:
        kind = _error_type(reply)
        if reply.status == 404:
            return Snapshot(state=JobState.FAILED, error_code="OUTPUT_EXPIRED", retryable=True, logs=logs)
        if reply.status == 400 and kind is None:
            return Snapshot(state=JobState.RUNNING, logs=logs)  # the result lags behind the status
        if kind is not None and reply.status not in (401, 402, 403, 408, 429):
            # Only an answer with fal's own marks is the job's end; a bare 5xx is a gateway's trouble: ask again.
            retryable = reply.headers.get("x-fal-retryable") == "true"
            return _failed(kind, retryable=retryable, logs=logs, status=reply.status)
        require_ok(reply)
        answer = json_object(reply)
        outputs = _outputs(answer)
        cost, seed = _billed(reply.headers), answer.get("seed")
        if not outputs:
            return Snapshot(state=JobState.FAILED, error_code="OUTPUT_MISSING", retryable=True, cost=cost, logs=logs)
        return Snapshot(
            state=JobState.DONE,
            progress=1.0,
            outputs=outputs,
            cost=cost,
            seed=seed if type(seed) is int and abs(seed) < 2**63 else None,
            logs=logs,
        )

    def _address(self, media: Media, key: str) -> Talk[str]:
        """Where fal can read the file: its own address, the bytes themselves, or an upload."""
        if media.url is not None:
            return media.url
        content = media.read() if media.read else b""
        if len(content) <= _INLINE_BYTES:
            return f"data:{media.content_type};base64,{base64.b64encode(content).decode()}"
        if len(content) > _UPLOAD_BYTES:
            raise Rejected("A file is larger than fal takes.")
        token = yield from self._upload_token(key)
        store = str(token.get("base_url", ""))
        if not self._may_upload_to(store):
            raise Unavailable("The provider names a place for uploads that is not its own.")
        headers = {
            "Authorization": f"{token.get('token_type')} {token.get('token')}",
            "Content-Type": media.content_type,
            "X-Fal-File-Name": f"input.{media.content_type.partition('/')[2] or 'bin'}",
        }
        call = Call(method="POST", url=f"{store.rstrip('/')}/files/upload", headers=headers, body=content)
        uploaded = (yield from ask(call)).get("access_url")
        if not isinstance(uploaded, str):
            raise Unavailable("The provider did not say where the upload lies.")
        return uploaded

    def _upload_token(self, key: str) -> Talk[dict[str, Any]]:
        """Leave to upload for an hour: costs nothing, and only an account gets it."""
        url = f"{self.rest_url}/storage/auth/token?storage_type=fal-cdn-v3"
        return (yield from ask(Call(method="POST", url=url, headers=_auth(key), json={})))

    def _may_upload_to(self, store: str) -> bool:
        parts = urlsplit(store)
        trusted = parts.scheme == "https" and (parts.hostname or "").endswith(self.media_hosts) and not parts.username
        return trusted or self.is_own(f"{store}/")


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": f"Key {key}"}


def _billed(headers: Mapping[str, str]) -> Billed | None:
    try:
        units = Decimal(headers.get("x-fal-billable-units", ""))
        return Billed(units=units) if 0 <= units <= _MOST_UNITS else None
    except InvalidOperation:  # also what comparing a NaN raises
        return None


def _failed(kind: str, *, retryable: bool, logs: tuple[str, ...], status: int = 500) -> Snapshot:
    if kind in CANCELED:
        return Snapshot(state=JobState.CANCELED, logs=logs)
    code = ERRORS.get(kind, "PROVIDER_REJECTED" if status == 422 else "PROVIDER_FAILED")
    retryable = retryable and code != "PROVIDER_REJECTED"
    return Snapshot(state=JobState.FAILED, error_code=code, retryable=retryable, logs=logs)


def _error_type(reply: Reply) -> str | None:
    """What fal calls the failure; "" when it failed the job without a word for it, None when this is no such answer."""
    if reply.status < 400:
        return None
    if "x-fal-error-type" in reply.headers:
        return reply.headers["x-fal-error-type"]
    try:
        answer = json.loads(reply.body)
    except ValueError:
        return None
    detail = answer.get("detail") if isinstance(answer, dict) else None
    if isinstance(detail, list):
        return str(detail[0].get("type", "")) if detail and isinstance(detail[0], dict) else ""
    kind = answer.get("error_type") if isinstance(answer, dict) else None
    return kind if isinstance(kind, str) else "" if reply.status == 422 else None


def _outputs(answer: Mapping[str, Any]) -> tuple[Output, ...]:
    found: list[Any] = [one for name in _MANY for one in _listed(answer.get(name))]
    found += [answer[name] for name in _ONE if name in answer]
    urls = [one.get("url") if isinstance(one, dict) else one for one in found]
    return tuple(Output(url=url) for url in urls if isinstance(url, str) and url.startswith(("http", "data:")))


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _sanitised(logs: object) -> tuple[str, ...]:
    """When, and how grave; never the text, which repeats prompts and addresses."""
    lines = [entry for entry in _listed(logs)[-50:] if isinstance(entry, dict)]
    levels = [line["level"] if line.get("level") in _LEVELS else "INFO" for line in lines]
    return tuple(f"{_moment(line.get('timestamp'))} {level}" for line, level in zip(lines, levels, strict=True))


def _moment(value: object) -> str:
    return value if isinstance(value, str) and _MOMENT.fullmatch(value) else ""


PROVIDER = Fal()
