"""Runware's one endpoint: every request is a list of tasks, and a task's id is ours, so no submission stays unknown.

The answer has `data` and `errors` side by side, each entry with the id of its task. Their error codes vary between
models and are being renamed, so they are known by the words in them.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from core.money import usd
from providers import webhooks
from providers.contract import (
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
from providers.errors import NeverTaken, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable
from providers.sheeted import SheetedProvider
from providers.verdict import json_object, refusal, require_ok

STATES = {  # their word: ours; some results come without one
    "queued": JobState.QUEUED,
    "pending": JobState.QUEUED,
    "scheduled": JobState.QUEUED,
    "waiting": JobState.QUEUED,
    "processing": JobState.RUNNING,
    "success": JobState.DONE,
    "error": JobState.FAILED,
    "failed": JobState.FAILED,
}
ERRORS = {  # our code: parts of theirs; the first that fits, and PROVIDER_FAILED for all others
    "CONFLICT": ("taskuuidconflict", "conflicttaskuuid"),
    "JOB_LOST": ("notfound", "taskuuid"),
    "KEY_INVALID": ("apikey", "unauthorized"),
    "INSUFFICIENT_CREDITS": ("credit",),
    "RATE_LIMITED": ("ratelimit", "toomany", "concurren"),
    "CONTENT_REFUSED": ("providercontent", "moderation", "nsfw", "safety"),
    "INPUT_UNREACHABLE": ("transfer", "download"),
    "PROVIDER_REJECTED": ("invalid", "missing", "unsupported"),
}
_OF_THE_ACCOUNT = {"KEY_INVALID": 401, "INSUFFICIENT_CREDITS": 402}  # our code: the status that means the same
_REFUSALS = frozenset({"CONTENT_REFUSED", "INPUT_UNREACHABLE", "PROVIDER_REJECTED"})
_KINDS = ("image", "video", "audio", "media")
_INLINE_BYTES = 256_000  # what is smaller travels inside the request
_UPLOAD_BYTES = 50_000_000
_UPLOAD_TIMEOUT_S = 120.0
_MOST_USD = 100_000

Entry = Mapping[str, Any]  # of `data` or `errors`


class Runware(SheetedProvider):
    """See the module."""

    name = "runware"
    files_rule = "Runware fetches files over http or https only."
    default_base_url = "https://api.runware.ai"
    key_variable = "RUNWARE_API_KEY"
    webhooks = "token"
    supports_recover = True
    media_hosts = (".runware.ai",)

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(base_url)
        self._url = f"{self.base_url}/v1"

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        if self.check(generation):
            raise Rejected("The model cannot make this.")
        model, task_id = self.sheets[generation.model], _task_id(idem_key)
        try:
            addresses: list[str] = []
            for number, file in enumerate(model.files(generation)):
                addresses.append((yield from self._address(file, key, _task_id(f"{idem_key} {number}"))))
        except Unavailable as exc:
            if exc.reason == "RATE_LIMITED":
                raise
            raise NotSent("A file could not be uploaded, so nothing was asked for.") from None
        task = {"taskUUID": task_id, "model": generation.model, **_framed(model.body(generation, addresses))}
        task |= {"deliveryMethod": "async", "outputType": "URL", "includeCost": True}
        task |= {"webhookURL": callback_url} if callback_url else {}
        idem = hashlib.sha256(idem_key.encode()).hexdigest()  # Runware ignores it; a journal can count by it
        headers = {**_auth(key), "X-Zap-Idem-Key": idem}
        reply = yield Call(method="POST", url=self._url, headers=headers, json=[task], paid=True)
        data, errors, loose = _entries(reply, task_id)
        if not data and "CONFLICT" not in map(_code, errors):  # nobody but us can have used this id before
            raise _not_accepted(reply, [*errors, *loose])
        seen = _snapshot(data, ())
        return Job(request_id=task_id, model=generation.model, snapshot=seen if seen.is_over else None)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        data, errors = yield from self._look(job.request_id, key)
        return _snapshot(data, errors)

    def recover(self, *, idem_key: str, key: str) -> Talk[Job | None]:
        task_id = _task_id(idem_key)
        data, errors = yield from self._look(task_id, key)
        if data or any(_code(error) != "JOB_LOST" for error in errors):
            return Job(request_id=task_id, model="")
        if errors:
            raise NeverTaken("The provider knows no such task.")
        return None

    def read_webhook(self, hook: Hook, *, key: str, secret: str) -> Talk[Hint]:
        said = webhooks.document(hook)
        named = [entry.get("taskUUID") for entry in _listed(said.get("data")) + _listed(said.get("errors"))]
        return Hint(request_id=webhooks.request_id(named[0] if named else None))
        yield  # a generator that makes no call

    def check_key(self, *, key: str) -> Talk[bool]:
        task = {"taskType": "accountManagement", "taskUUID": _task_id("account"), "operation": "getDetails"}
        reply = yield Call(method="POST", url=self._url, headers=_auth(key), json=[task])
        data, errors, loose = _entries(reply, task["taskUUID"])
        _require_account(reply, [*errors, *loose])
        require_ok(reply)
        return bool(data)

    def _look(self, task_id: str, key: str) -> Talk[tuple[list[Entry], list[Entry]]]:
        """What Runware has to say about a task; raises when it says something about the account or itself instead."""
        task = {"taskType": "getResponse", "taskUUID": task_id}
        reply = yield Call(method="POST", url=self._url, headers=_auth(key), json=[task])
        if reply.status in (401, 402, 403, 408, 429) or reply.status >= 500:
            require_ok(reply)
        data, errors, loose = _entries(reply, task_id)
        _require_account(reply, [*errors, *loose])
        if data or errors:
            return data, errors
        lost = [error for error in loose if _code(error) == "JOB_LOST"]
        if loose and not lost:
            raise Unavailable("The provider would not say how the job is.")
        if not lost:
            require_ok(reply)
            json_object(reply)
        return data, lost

    def _address(self, media: Media, key: str, task_id: str) -> Talk[str]:
        """Where Runware can read the file: its own address, the bytes themselves, or the id of an upload."""
        if media.url is not None:
            return media.url
        content = media.read() if media.read else b""
        if len(content) > _UPLOAD_BYTES:
            raise Rejected("A file is larger than Runware takes.")
        inline = f"data:{media.content_type};base64,{base64.b64encode(content).decode()}"
        if len(content) <= _INLINE_BYTES:
            return inline
        task = {"taskType": "mediaStorage", "taskUUID": task_id, "operation": "upload", "media": inline}
        if media.content_type.startswith("image/"):
            task = {"taskType": "imageUpload", "taskUUID": task_id, "image": inline}
        call = Call(method="POST", url=self._url, headers=_auth(key), json=[task], timeout_s=_UPLOAD_TIMEOUT_S)
        reply = yield call
        data, errors, loose = _entries(reply, task_id)
        _require_account(reply, [*errors, *loose])
        require_ok(reply)
        named = [entry.get(name) for entry in data for name in ("imageUUID", "mediaUUID")]
        found = next((one for one in named if isinstance(one, str)), None)
        if found is None:
            raise Unavailable("The provider did not say where the upload lies.")
        return found


def _auth(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _task_id(idem_key: str) -> str:
    """A UUID of version 4, as Runware wants it, that always follows from the same key."""
    return str(UUID(bytes=hashlib.sha256(idem_key.encode()).digest()[:16], version=4))


def _framed(body: dict[str, Any]) -> dict[str, Any]:
    if "frameImages" in body:
        body["frameImages"] = [{"inputImage": body["frameImages"], "frame": "first"}]
    return body


def _entries(reply: Reply, task_id: str) -> tuple[list[Entry], list[Entry], list[Entry]]:
    """What is said about the task: `data`, `errors`, and errors that name no task."""
    try:
        answer = json.loads(reply.body)
    except (ValueError, RecursionError):
        answer = None
    found = answer if isinstance(answer, dict) else {}
    data, errors = _listed(found.get("data")), _listed(found.get("errors"))
    return (
        [one for one in data if one.get("taskUUID") == task_id],
        [one for one in errors if one.get("taskUUID") == task_id],
        [one for one in errors if not one.get("taskUUID")],
    )


def _listed(value: object) -> list[Entry]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _code(error: Entry) -> str:
    word = str(error.get("code", "")).replace("_", "").lower()
    return next((code for code, parts in ERRORS.items() if any(part in word for part in parts)), "PROVIDER_FAILED")


def _require_account(reply: Reply, errors: Sequence[Entry]) -> None:
    """Raises KeyRefused where an error is about the account."""
    for error in errors:
        if (status := _OF_THE_ACCOUNT.get(_code(error))) is not None:
            raise refusal(status, reply.headers, paid=False)


def _not_accepted(reply: Reply, errors: Sequence[Entry]) -> ProviderError:
    """What a submission's answer means that names no task of ours."""
    code = _code(errors[0]) if errors else ""
    if code in _OF_THE_ACCOUNT:
        return refusal(_OF_THE_ACCOUNT[code], reply.headers, paid=True)
    if code == "RATE_LIMITED":
        return refusal(429, reply.headers, paid=True)
    if code in _REFUSALS:
        return Rejected(reason=code)
    if reply.status >= 300:
        return refusal(reply.status, reply.headers, paid=True)
    return SubmissionUnknown("The provider's answer to the submission names no job.")


def _snapshot(data: Sequence[Entry], errors: Sequence[Entry]) -> Snapshot:
    """Results come one by one: the job is over when none is on its way, and done when there is at least one."""
    states = [_state(entry) for entry in data]
    if not (data or errors) or any(state in (JobState.QUEUED, JobState.RUNNING) for state in states):
        waits = bool(states) and all(state is JobState.QUEUED for state in states)
        return Snapshot(state=JobState.QUEUED if waits else JobState.RUNNING)
    done = [entry for entry, state in zip(data, states, strict=True) if state is JobState.DONE]
    outputs = tuple(output for entry in done for output in _outputs(entry))
    cost, seed = _cost(data), next((entry.get("seed") for entry in data), None)
    if outputs:
        kept = seed if type(seed) is int and abs(seed) < 2**63 else None
        return Snapshot(state=JobState.DONE, progress=1.0, outputs=outputs, cost=cost, seed=kept)
    failures = [*errors, *(entry for entry, state in zip(data, states, strict=True) if state is JobState.FAILED)]
    code = _code(failures[0]) if failures else "OUTPUT_MISSING"
    code = "JOB_LOST" if code == "CONFLICT" else code
    return Snapshot(state=JobState.FAILED, error_code=code, retryable=code not in _REFUSALS, cost=cost)


def _state(entry: Entry) -> JobState:
    if "status" in entry:
        return STATES.get(str(entry["status"]).lower(), JobState.RUNNING)
    if "code" in entry:
        return JobState.FAILED
    return JobState.DONE if _outputs(entry) else JobState.RUNNING


def _outputs(entry: Entry) -> list[Output]:
    """An entry has one result, as an address, inside a data: address, or as base64."""
    for kind in _KINDS:
        for name in (f"{kind}URL", f"{kind}DataURI"):
            if isinstance(url := entry.get(name), str) and url.startswith(("https://", "http://", "data:")):
                return [Output(url=url)]
        try:
            content = base64.b64decode(entry.get(f"{kind}Base64Data", ""), validate=True)
        except (TypeError, ValueError):
            continue
        if content:
            return [Output(content=content)]
    return []


def _cost(data: Sequence[Entry]) -> Cost | None:
    """What all results together cost; None where one of them does not say."""
    try:
        total = sum((Decimal(str(entry["cost"])) for entry in data), Decimal(0))
        return Cost(usd=usd(total), source="reported") if data and 0 <= total <= _MOST_USD else None
    except (KeyError, InvalidOperation):
        return None


PROVIDER = Runware()
