"""ComfyUI on the operator's own GPU: a graph with our values in its slots, looked for in the queue and the history.

A model is a workflow: one of the operator's folder COMFYUI_WORKFLOWS by its file's name, or `recipe`, which the step
brings along. The server keeps its jobs in memory: one in neither list was lost when it was restarted.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from core.money import ZERO, usd
from providers.contract import (
    Call,
    CancelState,
    Cost,
    Generation,
    Job,
    JobState,
    Media,
    Output,
    Provider,
    Snapshot,
    Talk,
)
from providers.errors import NeverTaken, NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.multipart import Part, write
from providers.shelf import RECIPE, Shelf
from providers.verdict import json_object, require_ok
from providers.workflow import Workflow

_MEDIA = ("image.", "video.", "audio.")  # how the step kinds begin that a graph can be for
_OUTPUTS = ("images", "gifs", "videos", "video", "audio")  # where nodes of different authors name their files
_UPLOAD_BYTES, _UPLOAD_TIMEOUT_S = 100_000_000, 120.0
_LIST_BYTES = 64_000_000  # the queue and the history repeat every graph
_LONGEST_S = 86_400
_LATEST = 100  # so many of the history's entries are looked through for a lost submission
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")


class ComfyUI(Provider):
    """See the module. `usd_per_gpu_s` is what the operator's GPU costs, by default nothing; nonsense stops all."""

    name = "comfyui"
    variables = ("COMFYUI_WORKFLOWS", "COMFYUI_RECIPE_WORKFLOWS", "COMFYUI_USD_PER_GPU_S")
    key_variable = "COMFYUI_API_KEY"
    key_is_optional = True
    self_hosted = True
    fetches_files = False
    supports_cancel = True
    supports_recover = True

    def __init__(
        self,
        base_url: str | None = None,
        folder: str | None = None,
        may_bring: str | None = None,
        usd_per_gpu_s: str | None = None,
    ) -> None:
        super().__init__(base_url)
        self.shelf = Shelf(Path(folder) if folder else None, may_bring=may_bring in ("1", "true", "on"))
        self.usd_per_gpu_s = _amount(usd_per_gpu_s or "0")

    def default_model(self, capability: str) -> str | None:
        return self.shelf.default(capability) or (RECIPE if capability.startswith(_MEDIA) else None)

    def quote(self, generation: Generation) -> Decimal:
        found = self.shelf.pick(generation)
        return usd((self.usd_per_gpu_s or ZERO) * found.gpu_s) if isinstance(found, Workflow) else ZERO

    def check(self, generation: Generation) -> list[tuple[str, str]]:
        if not self.base_url:
            return [("provider", "No ComfyUI is known here: set COMFYUI_BASE_URL to where it answers.")]
        if self.usd_per_gpu_s is None:
            return [("provider", "COMFYUI_USD_PER_GPU_S is no amount of USD, such as 0.0004.")]
        found = self.shelf.pick(generation)
        if not isinstance(found, Workflow):
            return [found]
        rule = ("reference_images", "ComfyUI is sent files and fetches none: upload it instead.")
        is_broken = any(file.url is not None for file in found.files(generation))
        return [*found.check(generation), *([rule] if is_broken else [])]

    def submit(self, generation: Generation, *, key: str, idem_key: str, callback_url: str | None = None) -> Talk[Job]:
        found = self.shelf.pick(generation)
        if not isinstance(found, Workflow) or self.check(generation):
            raise Rejected("The workflow cannot make this.")
        try:
            names: list[str] = []
            for file in found.files(generation):
                names.append((yield from self._upload(file, key)))
        except Unavailable as exc:
            if exc.reason == "RATE_LIMITED":
                raise
            raise NotSent("A file could not be uploaded, so nothing was asked for.") from None
        digest = hashlib.sha256(idem_key.encode()).hexdigest()
        seed = int(digest[:12], 16)  # the same graph twice would be answered from a cache, with nothing
        mark = {"zaps": {"idem": digest, "seed": found.seed(generation, seed)}}
        body = {"prompt": found.filled(generation, names, seed), "prompt_id": _prompt_id(digest), "extra_data": mark}
        headers = {**_auth(key), "X-Zap-Idem-Key": digest}
        reply = yield Call(method="POST", url=f"{self.base_url}/prompt", headers=headers, json=body, paid=True)
        require_ok(reply, paid=True)
        prompt_id = json_object(reply, paid=True).get("prompt_id")  # an older server's own
        if not _is_id(prompt_id):
            raise SubmissionUnknown("The provider's answer to the submission names no job.")
        return Job(request_id=str(prompt_id), model=generation.model)

    def poll(self, job: Job, *, key: str) -> Talk[Snapshot]:
        ended = yield from self._ended(job.request_id, key)
        if ended is None:
            place = yield from self._place(job.request_id, key)
            if place is not None:
                state = JobState.RUNNING if place == 0 else JobState.QUEUED
                return Snapshot(state=state, queue_position=place - 1 if place else None)
            ended = yield from self._ended(job.request_id, key)  # it may have ended between the two looks
        if ended is None:
            return Snapshot(state=JobState.FAILED, error_code="JOB_LOST", retryable=True)
        return self._snapshot(ended)

    def recover(self, *, idem_key: str, key: str) -> Talk[Job | None]:
        digest = hashlib.sha256(idem_key.encode()).hexdigest()
        prompt_id = _prompt_id(digest)
        if (yield from self._ended(prompt_id, key)) is not None:
            return Job(request_id=prompt_id, model="")
        for entry in [one for entries in (yield from self._queue(key)) for one in entries]:
            if entry[1] == prompt_id or _mark(entry).get("idem") == digest:
                return Job(request_id=entry[1], model="")
        answer = yield from self._get(f"/history?max_items={_LATEST}", key)
        marks = {known_id: _mark(about.get("prompt")) for known_id, about in answer.items() if isinstance(about, dict)}
        for known_id, mark in marks.items():
            if mark.get("idem") == digest and _is_id(known_id):
                return Job(request_id=known_id, model="")
        if len(answer) >= _LATEST and not any(_is_ours(known_id, mark) for known_id, mark in marks.items()):
            return None  # a server that chooses ids itself, and has had too many jobs since
        raise NeverTaken("The server has no such job.")

    def cancel(self, job: Job, *, key: str) -> Talk[CancelState]:
        place = yield from self._place(job.request_id, key)
        if waited := bool(place):
            yield from self._post("/queue", {"delete": [job.request_id]}, key)
            place = yield from self._place(job.request_id, key)
        if place is None:
            if (yield from self._ended(job.request_id, key)) is not None:
                return CancelState.ALREADY_TERMINAL
            return CancelState.CANCELED if waited else CancelState.NOT_FOUND
        status = yield from self._post(f"/api/jobs/{job.request_id}/cancel", {}, key)
        if status in (404, 405):  # an older server, which may stop whatever runs: we have just seen that it is this
            yield from self._post("/interrupt", {"prompt_id": job.request_id}, key)
        return CancelState.REQUESTED

    def check_key(self, *, key: str) -> Talk[bool]:
        yield from self._get("/system_stats", key)
        return True

    def download_headers(self, key: str) -> Mapping[str, str]:
        return _auth(key)

    def _get(self, path: str, key: str) -> Talk[dict[str, Any]]:
        reply = yield Call(method="GET", url=f"{self.base_url}{path}", headers=_auth(key), most_bytes=_LIST_BYTES)
        try:
            require_ok(reply)
        except Rejected:  # what stands before it, not ComfyUI, which has an answer to every such question
            raise Unavailable from None
        return json_object(reply)

    def _post(self, path: str, document: Mapping[str, Any], key: str) -> Talk[int]:
        """The status: of the calls that are made so, 404 and 405 say that the server is too old for them."""
        reply = yield Call(method="POST", url=f"{self.base_url}{path}", headers=_auth(key), json=document)
        if reply.status not in (404, 405):
            require_ok(reply)
        return reply.status

    def _ended(self, prompt_id: str, key: str) -> Talk[dict[str, Any] | None]:
        """What the history has about it; None while it is not over, and once it is forgotten."""
        answer = yield from self._get(f"/history/{prompt_id}", key)
        entry = answer.get(prompt_id)
        return entry if isinstance(entry, dict) else None

    def _place(self, prompt_id: str, key: str) -> Talk[int | None]:
        """0 when it runs, else its place among those that wait, from 1; None when it is in neither list."""
        running, pending = yield from self._queue(key)
        if any(entry[1] == prompt_id for entry in running):
            return 0
        for place, entry in enumerate(pending, start=1):
            if entry[1] == prompt_id:
                return place
        return None

    def _queue(self, key: str) -> Talk[tuple[list[Any], list[Any]]]:
        """What runs, and what waits, in order; entries are [number, id, graph, extra data, outputs]."""
        answer = yield from self._get("/queue", key)
        pending = sorted(_entries(answer.get("queue_pending")), key=lambda entry: entry[0])
        return _entries(answer.get("queue_running")), pending

    def _snapshot(self, ended: Mapping[str, Any]) -> Snapshot:
        status = ended.get("status")  # old servers have none
        about = status if isinstance(status, dict) else {"status_str": "success"}
        word, events = about.get("status_str"), _events(about.get("messages"))
        cost = Cost(usd=usd((self.usd_per_gpu_s or ZERO) * _gpu_s(events)), source="derived")
        if "execution_interrupted" in events:
            return Snapshot(state=JobState.CANCELED, cost=cost)
        if word == "error":
            kind = str(events.get("execution_error", {}).get("exception_type", ""))
            passing = kind.endswith("OutOfMemoryError")  # another node's error would only be repeated
            return Snapshot(state=JobState.FAILED, error_code="PROVIDER_FAILED", retryable=passing, cost=cost)
        if word != "success":
            return Snapshot(state=JobState.RUNNING)
        outputs = tuple(self._output(file) for file in _files(ended.get("outputs")))
        if not outputs:
            return Snapshot(state=JobState.FAILED, error_code="OUTPUT_MISSING", retryable=True, cost=cost)
        seed = _mark(ended.get("prompt")).get("seed")
        kept = seed if type(seed) is int and abs(seed) < 2**63 else None
        return Snapshot(state=JobState.DONE, progress=1.0, outputs=outputs, cost=cost, seed=kept)

    def _output(self, file: Mapping[str, Any]) -> Output:
        named = {"filename": file["filename"], "subfolder": str(file.get("subfolder") or ""), "type": "output"}
        return Output(url=f"{self.base_url}/view?{urlencode(named, errors='replace')}", authorized=True)

    def _upload(self, media: Media, key: str) -> Talk[str]:
        """What the file is called there. It is named by its content, so the same one is kept once."""
        content = media.read() if media.read else b""
        if len(content) > _UPLOAD_BYTES:
            raise Rejected("A file is larger than ComfyUI takes.")
        ending = media.content_type.partition("/")[2].rpartition("-")[2] or "bin"
        name = f"zaps-{hashlib.sha256(content).hexdigest()[:32]}.{ending}"
        file = Part(content=content, content_type=media.content_type, filename=name)
        content_type, body = write({"image": file, "overwrite": Part(content=b"true", content_type="text/plain")})
        headers = {**_auth(key), "Content-Type": content_type}
        url = f"{self.base_url}/upload/image"
        reply = yield Call(method="POST", url=url, headers=headers, body=body, timeout_s=_UPLOAD_TIMEOUT_S)
        require_ok(reply)
        answer = json_object(reply)
        kept, folder = answer.get("name"), answer.get("subfolder")
        if not isinstance(kept, str) or not kept:
            raise Unavailable("The provider did not say where the upload lies.")
        return f"{folder}/{kept}" if isinstance(folder, str) and folder else kept


def _auth(key: str) -> dict[str, str]:
    """ComfyUI itself knows no keys; what stands before it does: `user:password`, or a token."""
    if not key:
        return {}
    if ":" in key:
        return {"Authorization": f"Basic {base64.b64encode(key.encode()).decode()}"}
    return {"Authorization": f"Bearer {key}"}


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
        return amount if 0 <= amount <= 1000 else None
    except InvalidOperation:  # also for comparing a NaN
        return None


def _prompt_id(digest: str) -> str:
    return str(UUID(bytes=bytes.fromhex(digest)[:16], version=4))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _entries(value: object) -> list[list[Any]]:
    """Those of a queue's entries that make sense."""
    entries = [entry for entry in _listed(value) if isinstance(entry, list) and len(entry) > 1]
    return [entry for entry in entries if type(entry[0]) in (int, float) and _is_id(entry[1])]


def _mark(entry: object) -> Mapping[str, Any]:
    """What `submit` wrote into an entry's extra data."""
    extra = entry[3] if isinstance(entry, list) and len(entry) > 3 else None
    mark = extra.get("zaps") if isinstance(extra, dict) else None
    return mark if isinstance(mark, dict) else {}


def _is_ours(known_id: str, mark: Mapping[str, Any]) -> bool:
    """Does the entry bear the id that we had chosen for it?"""
    digest = mark.get("idem")
    return isinstance(digest, str) and _SHA256.fullmatch(digest) is not None and _prompt_id(digest) == known_id


def _events(messages: object) -> dict[str, Mapping[str, Any]]:
    """What happened to a job, and what is said about it."""
    pairs = [entry for entry in _listed(messages) if isinstance(entry, list) and len(entry) == 2]
    return {event: about for event, about in pairs if isinstance(event, str) and isinstance(about, dict)}


def _gpu_s(events: Mapping[str, Mapping[str, Any]]) -> Decimal:
    """From the start to the end, by the server's own clock in milliseconds; 0 where it does not tell."""
    times = [about.get("timestamp") for about in events.values()]
    known = [time for time in times if type(time) is int and 0 <= time < 2**53]
    return min(Decimal(max(known) - min(known)) / 1000, Decimal(_LONGEST_S)) if known else ZERO


def _files(value: object) -> list[Mapping[str, Any]]:
    """The files that nodes kept as results; previews are of the type temp."""
    nodes = [node for node in value.values() if isinstance(node, dict)] if isinstance(value, dict) else []
    files = [file for node in nodes for name in _OUTPUTS for file in _listed(node.get(name)) if isinstance(file, dict)]
    return [file for file in files if file.get("type") == "output" and isinstance(file.get("filename"), str)]


PROVIDER = ComfyUI()
