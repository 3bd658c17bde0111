"""Prodia's v2 API as its reference knows it: jobs answered with their results, jobs in the background, their files."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from providers import multipart
from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.wire import Answer, Request, reply

_JOBS = "/v2/job"
_ASYNC = "/v2/job/async"
_BOUNDARY = "2f1a9c"
_NAMES = {"png": "image.png", "mp4": "video.mp4"}
_TYPE = re.compile(r"inference(\.[a-z0-9-]+)+\.v\d+")
_FILES = ("image", "images", "last_frame", "audio", "video")  # fields that name a file of the form
_DOLLARS = {"png": 0.0025, "mp4": 0.25}


@dataclass(slots=True, kw_only=True)
class ProdiaJob:
    """One accepted job. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    id: str
    type: str
    config: dict[str, Any]
    starts_at: float
    ends_at: float
    rule: Rule | None = None

    @property
    def kind(self) -> str:
        """png or mp4, by the type's name."""
        return "mp4" if "vid" in self.type else "png"

    @property
    def fault(self) -> str:
        """What its submission's fault does; "" where there is none."""
        return self.rule.do if self.rule else ""


class ProdiaSheet:
    """See the module. Vendor's faults on submit: fail, no_output, no_price, several (two results and a word beside
    them), objects (the list of files has records), elsewhere (a result lies at `type`), reject (400), no_async (400).
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._jobs: dict[str, ProdiaJob] = {}

    def aim(self, request: Request) -> tuple[str, str]:
        if request.method == "POST" and request.path in (_JOBS, _ASYNC):
            return "submit", str(_asked(request).get("type", ""))
        job, path = self._find(request)
        on = {"job.state.current": "status", "job.json": "job", "output": "result"}.get(path, "media")
        return (on, job.type) if job else ("unknown", "")

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        key = request.headers.get("authorization", "")
        if not key.startswith("Bearer ") or key in ("Bearer ", "Bearer invalid"):
            return reply({"error": "Unauthorized"}, 401)
        if on == "submit":
            return self._submit(request, rule)
        job, path = self._find(request)
        if job is None or self._is_gone(job):
            return reply({"error": "job not found"}, 404)
        return self._about(on, job, path, "price=true" in request.query)

    def _about(self, on: str, job: ProdiaJob, path: str, priced: bool) -> Answer:
        word = self._word(job)
        if on == "status":
            return Answer(body=word.encode(), content_type="text/plain")
        if on == "job":
            return reply(self._record(job, priced))
        if word != "processed":
            return reply({"error": "no output"}, 404)
        return reply(self._listed(job)) if on == "result" else self._file(job, path)

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        asked = _asked(request)
        seen = self._desk.journal.submission(str(asked.get("type", "")), request, rule.do if rule else None)
        background = request.path == _ASYNC
        if rule is not None and rule.do == "no_async" and background:
            return reply({"error": "job type does not support async"}, 400)
        wrong = _wrong(asked, request)
        if wrong or (rule is not None and rule.do == "reject"):
            return reply({"error": wrong or "config: a lighthouse is not allowed"}, 400)
        now, pace = self._desk.clock.now(), self._desk.pace
        job = ProdiaJob(
            id=str(uuid4()),
            type=asked["type"],
            config=asked["config"],
            starts_at=now,
            ends_at=now + (pace.queue_s + pace.run_s if background else 0),
            rule=rule,
        )
        seen.request_id = job.id
        if background:
            self._jobs[job.id] = job
            return reply(self._record(job, False), 201)
        priced = "price=true" in request.query
        if "multipart/form-data" not in request.headers.get("accept", ""):
            return Answer(content_type=CONTENT_TYPES[job.kind], make=partial(content, job.kind, 5.0))
        form = partial(self._form, job, priced)
        kind = f"multipart/form-data; boundary={_BOUNDARY}"
        return Answer(content_type=kind, make=form, delay_s=pace.queue_s + pace.run_s)

    def _word(self, job: ProdiaJob) -> str:
        if self._desk.clock.now() < job.ends_at:
            return "processing"
        return "failed" if job.fault == "fail" else "processed"

    def _record(self, job: ProdiaJob, priced: bool) -> dict[str, Any]:
        word = self._word(job)
        times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:01Z"}
        record: dict[str, Any] = {
            "type": job.type,
            "id": job.id,
            **times,
            "expires_at": "2026-01-01T00:05:00Z",
            "state": {"current": "completed" if word == "processed" else word},
            "config": {"seed": 42, **job.config},
        }
        if word == "failed":
            return record | {"error": "The job failed: a lighthouse"}
        if word == "processed":
            record["metrics"] = {"elapsed": 0.3, "ips": 13.4}
        if word == "processed" and priced and job.fault != "no_price":
            record["price"] = {"product": job.type.replace(".", "-"), "dollars": _DOLLARS[job.kind]}
        return record

    def _files(self, job: ProdiaJob) -> list[str]:
        name = _NAMES[job.kind]
        return {"no_output": [], "several": ["text.txt", name, f"second-{name}"]}.get(job.fault, [name])

    def _listed(self, job: ProdiaJob) -> Any:
        if job.fault == "elsewhere":
            return [job.rule.type if job.rule else ""]
        return [{"name": name} for name in self._files(job)] if job.fault == "objects" else self._files(job)

    def _file(self, job: ProdiaJob, path: str) -> Answer:
        name = path.removeprefix("output/")
        if name not in self._files(job):
            return reply({"error": "file not found"}, 404)
        if name.endswith(".txt"):
            return Answer(body=b"Here is your lighthouse.", content_type="text/plain")
        return Answer(content_type=CONTENT_TYPES[job.kind], make=partial(content, job.kind, _seconds(job)))

    def _form(self, job: ProdiaJob, priced: bool) -> bytes:
        return b"".join(self._lines(job, priced)) + f"--{_BOUNDARY}--\r\n".encode()

    def _lines(self, job: ProdiaJob, priced: bool) -> Iterator[bytes]:
        yield _part("job", "job.json", "application/json", json.dumps(self._record(job, priced)).encode())
        for name in [] if job.fault == "fail" else self._files(job):
            answer = self._file(job, f"output/{name}")
            yield _part("output", name, answer.content_type, answer.make() if answer.make else answer.body)

    def _find(self, request: Request) -> tuple[ProdiaJob | None, str]:
        which, _, path = request.path.removeprefix(f"{_ASYNC}/").partition("/")
        return self._jobs.get(which), path

    def _is_gone(self, job: ProdiaJob) -> bool:
        keep_s = self._desk.pace.keep_s
        return keep_s is not None and self._desk.clock.now() > job.ends_at + keep_s


def _part(name: str, filename: str, content_type: str, data: bytes) -> bytes:
    head = f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"; filename="{filename}"\r\n'
    return f"{head}content-type: {content_type}\r\n\r\n".encode() + data + b"\r\n"


def _asked(request: Request) -> dict[str, Any]:
    """The job that a request describes, in its body or in the form's part of that name."""
    body = request.json()
    if body is None:
        part = multipart.read(request.headers.get("content-type", ""), request.body).get("job")
        body = Request(method="", path="", query="", headers={}, body=part.content).json() if part else None
    return body if isinstance(body, dict) else {}


def _wrong(asked: dict[str, Any], request: Request) -> str:
    """What is wrong with a job; "" when it is fine. Files that it names must have come with it."""
    config = asked.get("config")
    if not _TYPE.fullmatch(str(asked.get("type"))) or not isinstance(config, dict):
        return "unknown job type"
    if not config.get("prompt") and "upscale" not in asked["type"]:
        return "config.prompt is required"
    parts = multipart.read_all(request.headers.get("content-type", ""), request.body)
    sent = {part.filename for name, part in parts if name == "input"}
    named = {one for field in _FILES for one in _flat(config.get(field))}
    return "" if named <= sent else "a file is missing"


def _flat(value: Any) -> list[str]:
    return value if isinstance(value, list) else [] if value is None else [str(value)]


def _seconds(job: ProdiaJob) -> float:
    return float(job.config.get("duration", 5))
