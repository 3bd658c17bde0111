"""ComfyUI's server as its source has it: graphs are checked and queued, and their ends are kept in a history.

It has no keys of its own; here the key `invalid` is turned away, as a proxy before it would.
"""

import re
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

from providers import multipart
from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.wire import Answer, Request, reply

_EPOCH_MS = 1_767_225_600_000
_SAVES = {  # nodes that keep files: where they name them, and what they are
    "SaveImage": ("images", "png"),
    "SaveVideo": ("images", "mp4"),
    "VHS_VideoCombine": ("gifs", "mp4"),
    "SaveAudio": ("audio", "wav"),
    "PreviewImage": ("images", "png"),
}
_LOADS = {"LoadImage": "image", "LoadVideo": "file", "LoadAudio": "audio"}


@dataclass(slots=True, kw_only=True)
class ComfyJob:
    """One accepted graph. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    prompt_id: str
    number: int
    graph: dict[str, Any]
    extra: dict[str, Any]
    starts_at: float
    ends_at: float
    rule: Rule | None = None
    is_interrupted: bool = False

    @property
    def do(self) -> str:
        """The fault's word; "" where there is none."""
        return self.rule.do if self.rule else ""

    @property
    def entry(self) -> list[Any]:
        """As it stands in the queue."""
        return [self.number, self.prompt_id, self.graph, self.extra, list(_savers(self.graph))]

    @property
    def seconds(self) -> float:
        """The length of its clips and sounds, by the inputs that ask for one; 2 where none does."""
        inputs = [one for node in self.graph.values() for one in node["inputs"].items()]
        asked = {name: value for name, value in inputs if isinstance(value, int | float)}
        frames = asked.get("length")
        return float(asked.get("duration", asked.get("seconds", (frames - 1) / 16 if frames else 2)))


@dataclass(slots=True)
class ComfySheet:
    """See the module. Vendor's faults: on any call restart (all jobs are forgotten before it is answered) and old (a
    server that chooses ids itself, and that knows neither job routes nor statuses); on submit node_error (with the
    exception `type`), oom, cached (done, with nothing), odd (with a status word that nobody knows, in `type`), refused
    (the graph does not pass, as `type` says).
    """

    desk: Desk
    origin: str = ""
    _jobs: dict[str, ComfyJob] = field(default_factory=dict)
    _files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _number: int = 0

    def aim(self, request: Request) -> tuple[str, str]:
        path = request.path.removeprefix("/api")
        if request.method == "POST":
            is_cancel = path in ("/queue", "/interrupt") or re.fullmatch(r"/jobs/[^/]+/cancel", path)
            kinds = {"/prompt": "submit", "/upload/image": "upload"}
            return ("cancel" if is_cancel else kinds.get(path, "unknown")), ""
        kinds = {"/queue": "queue", "/view": "media", "/system_stats": "stats", "/history": "history"}
        return ("history" if path.startswith("/history/") else kinds.get(path, "unknown")), ""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if request.headers.get("authorization", "") == "Bearer invalid":
            return Answer(status=401, body=b"401 Authorization Required", content_type="text/plain")
        if rule and rule.do == "restart":
            self._jobs.clear()
        is_old = bool(rule and rule.do == "old")
        match on:
            case "submit":
                return self._submit(request, rule, is_old=is_old)
            case "upload":
                return self._upload(request)
            case "cancel":
                return self._cancel(request, is_old=is_old)
            case "history":
                return self._history(request, is_old=is_old)
            case _:
                return self._look(on, request)

    def _look(self, on: str, request: Request) -> Answer:
        if on == "queue":
            now, jobs = self.desk.clock.now(), self._jobs.values()
            running = [job.entry for job in jobs if job.starts_at <= now < job.ends_at]
            return reply(
                {"queue_running": running, "queue_pending": [job.entry for job in jobs if now < job.starts_at]}
            )
        if on == "stats":
            return reply({"system": {"comfyui_version": "0.3.76"}, "devices": [{"name": "cuda:0", "type": "cuda"}]})
        return self._view(request) if on == "media" else _missing()

    def _submit(self, request: Request, rule: Rule | None, *, is_old: bool) -> Answer:
        seen = self.desk.journal.submission("", request, rule.do if rule else None)
        body = request.json()
        if not isinstance(body, dict) or not isinstance(body.get("prompt"), dict):
            return _refuse("no_prompt", "No prompt provided")
        wrong = self._wrong(body["prompt"]) or (
            rule.type or "prompt_outputs_failed_validation" if rule and rule.do == "refused" else ""
        )
        if wrong:
            return _refuse(wrong, f"Not valid: {body['prompt']}")
        wanted = body.get("prompt_id")
        if wanted is not None and not is_old and not _is_uuid(wanted):
            return _refuse("invalid_prompt_id", "prompt_id must be a UUID")
        now, pace = self.desk.clock.now(), self.desk.pace
        self._number += 1
        job = ComfyJob(
            prompt_id=str(uuid4()) if is_old or wanted is None else wanted,
            number=self._number,
            graph=body["prompt"],
            extra=dict(body.get("extra_data", {})),
            starts_at=now + pace.queue_s,
            ends_at=now + pace.queue_s + pace.run_s,
            rule=rule,
        )
        self._jobs[job.prompt_id] = job
        seen.request_id = job.prompt_id
        return reply({"prompt_id": job.prompt_id, "number": job.number, "node_errors": {}})

    def _wrong(self, graph: dict[str, Any]) -> str:
        """The type of what is wrong with a graph; "" when it is fine."""
        if not all(isinstance(node, dict) and "class_type" in node and "inputs" in node for node in graph.values()):
            return "missing_node_type"
        loaded = [node["inputs"].get(_LOADS[kind]) for node in graph.values() if (kind := node["class_type"]) in _LOADS]
        if not all(name in self._files for name in loaded):
            return "prompt_outputs_failed_validation"
        return "" if _savers(graph) else "prompt_no_outputs"

    def _history(self, request: Request, *, is_old: bool) -> Answer:
        now = self.desk.clock.now()
        wanted = request.path.partition("/history/")[2]
        ended = {
            name: self._ending(job, is_old=is_old)
            for name, job in self._jobs.items()
            if now >= job.ends_at and wanted in ("", name)
        }
        return reply(ended)

    def _ending(self, job: ComfyJob, *, is_old: bool) -> dict[str, Any]:
        kind = {"oom": "torch.OutOfMemoryError", "node_error": job.rule.type if job.rule else ""}.get(job.do)
        failed = kind is not None or job.is_interrupted
        outputs = {} if failed or job.do == "cached" else {node: self._saved(job, node) for node in _savers(job.graph)}
        ended: dict[str, Any] = {"prompt": job.entry, "outputs": outputs, "meta": {}}
        if is_old:
            return ended
        last = "execution_interrupted" if job.is_interrupted else "execution_error" if failed else "execution_success"
        took_ms = int((job.ends_at - job.starts_at) * 1000)
        about = {"prompt_id": job.prompt_id, "timestamp": _EPOCH_MS + took_ms}
        if last == "execution_error":  # the vendor's messages repeat the node's inputs; ours must not
            about |= {"exception_type": kind or "ValueError", "exception_message": str(job.graph), "node_id": "3"}
        messages = [["execution_start", {"prompt_id": job.prompt_id, "timestamp": _EPOCH_MS}], [last, about]]
        word = (job.rule.type if job.rule and job.do == "odd" else None) or ("error" if failed else "success")
        return {**ended, "status": {"status_str": word, "completed": not failed, "messages": messages}}

    def _saved(self, job: ComfyJob, node: str) -> dict[str, Any]:
        kind = job.graph[node]["class_type"]
        name, ending = _SAVES[kind]
        where = "temp" if kind == "PreviewImage" else "output"
        file = {"filename": f"{job.prompt_id}_{node}_00001_.{ending}", "subfolder": "zaps", "type": where}
        return {name: [file], **({"animated": [True]} if kind == "SaveVideo" else {})}

    def _cancel(self, request: Request, *, is_old: bool) -> Answer:
        body, now = request.json() or {}, self.desk.clock.now()
        if request.path.endswith("/queue"):
            for name in body.get("delete", []):
                if name in self._jobs and now < self._jobs[name].starts_at:
                    del self._jobs[name]
            return Answer()
        if request.path.endswith("/cancel"):
            job = self._jobs.get(request.path.split("/")[-2])
            return _missing() if is_old else reply({"cancelled": self._interrupt(job, now)})
        for job in list(self._jobs.values()):  # an old server does not look whose it is
            if is_old or body.get("prompt_id") in (None, job.prompt_id):
                self._interrupt(job, now)
        return Answer()

    def _interrupt(self, job: ComfyJob | None, now: float) -> bool:
        if job is None or not job.starts_at <= now < job.ends_at:
            return False
        job.ends_at, job.is_interrupted = now, True
        return True

    def _upload(self, request: Request) -> Answer:
        form = multipart.read(request.headers.get("content-type", ""), request.body)
        file = form.get("image")
        if file is None or not file.filename:
            return Answer(status=400)
        self._files[file.filename] = (file.content_type, file.content)
        return reply({"name": file.filename, "subfolder": "", "type": "input"})

    def _view(self, request: Request) -> Answer:
        asked = {name: values[0] for name, values in parse_qs(request.query).items()}
        name = asked.get("filename", "")
        job = self._jobs.get(name.split("_")[0])
        if job is None or asked.get("subfolder") != "zaps" or asked.get("type", "output") != "output":
            return _missing()
        ending = name.rpartition(".")[2]
        return Answer(content_type=CONTENT_TYPES[ending], make=partial(content, ending, job.seconds))


def _savers(graph: dict[str, Any]) -> list[str]:
    return [name for name, node in graph.items() if node["class_type"] in _SAVES]


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _missing() -> Answer:
    return Answer(status=404, body=b"404: Not Found", content_type="text/plain")


def _refuse(kind: str, message: str) -> Answer:
    error = {"type": kind, "message": message, "details": "", "extra_info": {}}
    return reply({"error": error, "node_errors": {}}, 400)
