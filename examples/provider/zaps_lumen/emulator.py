"""Lumen on loopback, for `zap emulator` and for tests: written from Lumen's documentation, not from the adapter.

The emulator does the rest: a port, dropped connections, slow answers, wrong statuses, a clock that can be stopped, and
a journal of what was bought. A sheet says what a request is, and what Lumen would answer.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.wire import Answer, Request, reply

JOBS, FILES = "/v1/jobs", "/files/"


@dataclass(slots=True, kw_only=True)
class LumenJob:
    """One accepted job; times are the desk's clock's."""

    id: str
    asked: dict[str, Any]
    starts_at: float
    ends_at: float
    fault: str = ""  # what the plan does to it: fail, moderation, no_files
    is_stopped: bool = False

    @property
    def kind(self) -> str:
        """png or mp4."""
        return "mp4" if "motion" in self.asked["model"] else "png"

    @property
    def seconds(self) -> float:
        """How long a clip it is."""
        return float(self.asked.get("seconds", 5))

    @property
    def credits(self) -> float:
        """What Lumen charges."""
        if self.kind == "png":
            return 20
        return (100 if self.asked.get("resolution") == "1080p" else 50) * self.seconds

    def status(self, now: float) -> str:
        """In Lumen's words."""
        if self.is_stopped:
            return "stopped"
        if now < self.starts_at:
            return "queued"
        if now < self.ends_at:
            return "working"
        return "failed" if self.fault in ("fail", "moderation") else "ready"


class LumenSheet:
    """See the module."""

    def __init__(self, desk: Desk) -> None:
        self.origin = ""  # where it answers; the emulator fills this in
        self._desk = desk
        self._jobs: dict[str, LumenJob] = {}

    def aim(self, request: Request) -> tuple[str, str]:
        """What kind of call it is, and for which model: faults are planned, and calls counted, by these."""
        if request.path == JOBS and request.method == "POST":
            asked = request.json()
            return "submit", str(asked.get("model")) if isinstance(asked, dict) else ""
        job = self._find(request)
        kind = "media" if request.path.startswith(FILES) else "cancel" if request.path.endswith("/stop") else "status"
        return (kind, job.asked["model"]) if job else ("other", "")

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        """Lumen's answer; `rule` is the fault that hits this call and is not one of the emulator's own."""
        if on == "media":
            return self._file(request)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if key in ("", "invalid"):
            return reply({"error": {"type": "auth"}}, 401)
        if on == "submit":
            return self._submit(request, rule)
        job = self._find(request)
        if request.path == "/v1/me":
            return reply({"account": "a"})
        if job is None:
            return reply({"error": {"type": "not_found"}}, 404)
        return self._stop(job) if on == "cancel" else reply(self._record(job))

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        asked = request.json()
        asked = asked if isinstance(asked, dict) else {}
        fault = rule.do if rule else ""
        seen = self._desk.journal.submission(str(asked.get("model")), request, fault or None)
        if asked.get("model") not in ("lumen-still", "lumen-motion") or not asked.get("prompt"):
            return reply({"error": {"type": "bad_input"}}, 422)
        starts_at = self._desk.clock.now() + self._desk.pace.queue_s
        job = LumenJob(
            id=str(uuid4()), asked=asked, starts_at=starts_at, ends_at=starts_at + self._desk.pace.run_s, fault=fault
        )
        self._jobs[job.id] = job
        seen.request_id = job.id  # to the journal, it is bought
        return reply({"id": job.id, "status": "queued"}, 201)

    def _stop(self, job: LumenJob) -> Answer:
        if job.status(self._desk.clock.now()) in ("ready", "failed", "stopped"):
            return reply({"error": {"type": "ended"}}, 409)
        job.is_stopped = True
        return reply({}, 202)

    def _record(self, job: LumenJob) -> dict[str, Any]:
        status = job.status(self._desk.clock.now())
        record: dict[str, Any] = {"id": job.id, "status": status}
        if status == "queued":
            return {**record, "place": 1}
        if status == "working":
            return {**record, "progress": 0.5}
        if status == "failed":
            kind = "moderation" if job.fault == "moderation" else "internal"
            return {**record, "credits": 0, "error": {"type": kind, "message": f"No: {job.asked['prompt']}"}}
        if status == "stopped":
            return {**record, "credits": 0}
        files = [] if job.fault == "no_files" else [f"{self.origin}{FILES}{job.id}.{job.kind}"]
        return {**record, "credits": job.credits, "seed": job.asked.get("seed", 7), "files": files}

    def _file(self, request: Request) -> Answer:
        """A picture or a clip that really plays."""
        job = self._find(request)
        if job is None:
            return reply({"error": {"type": "not_found"}}, 404)
        return Answer(content_type=CONTENT_TYPES[job.kind], make=partial(content, job.kind, job.seconds))

    def _find(self, request: Request) -> LumenJob | None:
        name = request.path.removeprefix(FILES).removeprefix(f"{JOBS}/").removesuffix("/stop")
        return self._jobs.get(name.partition(".")[0])
