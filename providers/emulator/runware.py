"""Runware's endpoint as its documentation describes it: lists of tasks, acknowledged, then asked for by their ids."""

import base64
import json
import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.postman import Letter
from providers.emulator.signers import Unsigned
from providers.emulator.wire import Answer, Request, reply

_JOBS = frozenset({"imageInference", "videoInference", "audioInference", "upscale"})
_UPLOADS = {"imageUpload": ("image", "imageUUID"), "mediaStorage": ("media", "mediaUUID")}
_WORDS = {"png": "image", "mp4": "video", "wav": "audio"}
_UNIT_USD = {"png": 0.0038, "mp4": 0.05, "wav": 0.0067}  # a picture, or a second


@dataclass(slots=True, kw_only=True)
class RunwareJob:
    """One accepted task. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    task: dict[str, Any]
    starts_at: float
    ends_at: float
    rule: Rule | None = None

    @property
    def do(self) -> str:
        """The fault's word; "" where there is none."""
        return self.rule.do if self.rule else ""

    @property
    def kind(self) -> str:
        """png, mp4 or wav, by the task and what it works on."""
        task = str(self.task["taskType"])
        if task == "upscale":
            return "mp4" if "video" in self.task.get("inputs", {}) else "png"
        return {"videoInference": "mp4", "audioInference": "wav"}.get(task, "png")

    @property
    def seconds(self) -> float:
        """The length that was asked for; 5 where nothing was."""
        return float(self.task.get("duration", 5))


class RunwareSheet:
    """See the module. Vendor's faults on submit: reject (an error of the code `type`, with `status`), at_once (answered
    with the result), model_error (the result is an error of the code `type`), no_output, bytes (the result as base64),
    partial (two results, one after the other), half (two results, of which one fails), no_cost, odd (a status word that
    nobody knows, in `type`), forget (accepted, and unknown to all later questions).
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._jobs: dict[str, RunwareJob] = {}

    def aim(self, request: Request) -> tuple[str, str]:
        if request.path.startswith("/media/"):
            return "media", ""
        task = _task(request)
        if request.method != "POST" or request.path != "/v1" or task is None:
            return "unknown", ""
        kind = str(task.get("taskType"))
        if kind == "getResponse":
            job = self._jobs.get(str(task.get("taskUUID")))
            return "status", str(job.task.get("model", "")) if job else ""
        on = "upload" if kind in _UPLOADS else "account" if kind == "accountManagement" else "submit"
        return on, str(task.get("model", ""))

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if on == "media":
            return self._media(request)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or key == "invalid":
            code = "invalidApiKey" if key else "missingApiKey"
            return reply({"errors": [{"code": code, "message": "No such key.", "taskType": "authentication"}]}, 401)
        task = _task(request)
        if on == "unknown" or task is None:
            return _refuse("invalidRequest", {}, 400)
        if not _is_uuid4(task.get("taskUUID")):
            return _refuse("invalidTaskUUID", {}, 400, parameter="taskUUID")
        return self._submit(request, task, rule) if on == "submit" else self._about(on, task)

    def _about(self, on: str, task: dict[str, Any]) -> Answer:
        if on == "upload":
            return self._upload(task)
        if on == "account":
            return reply({"data": [{**_head(task), "operation": "getDetails", "organizationName": "Emulated"}]})
        return self._status(task)

    def _submit(self, request: Request, task: dict[str, Any], rule: Rule | None) -> Answer:
        seen = self._desk.journal.submission(str(task.get("model", "")), request, rule.do if rule else None)
        if rule and rule.do == "reject":
            return _refuse(rule.type or "invalidPositivePrompt", task, rule.status or 400)
        if wrong := _wrong(task):
            return _refuse(wrong, task, 400)
        if task["taskUUID"] in self._jobs:
            return _refuse("taskUUIDConflict", task, 400, parameter="taskUUID")
        now, pace = self._desk.clock.now(), self._desk.pace
        job = RunwareJob(task=task, starts_at=now + pace.queue_s, ends_at=now + pace.queue_s + pace.run_s, rule=rule)
        seen.request_id = str(task["taskUUID"])
        if job.do != "forget":
            self._jobs[seen.request_id] = job
            self._promise(job)
        if job.do == "at_once":
            job.ends_at = now
            return reply({"data": [{name: value for name, value in self._result(job, 0).items() if name != "status"}]})
        return reply({"data": [_head(task)]})

    def _status(self, task: dict[str, Any]) -> Answer:
        job = self._jobs.get(task["taskUUID"])
        now = self._desk.clock.now()
        if job is None or (self._desk.pace.keep_s is not None and now > job.ends_at + self._desk.pace.keep_s):
            return _refuse("taskNotFound", task, 400, parameter="taskUUID")
        head = _head(job.task)
        if job.do == "odd":
            return reply({"data": [{**head, "status": job.rule.type if job.rule else ""}]})
        if now < job.ends_at:
            first = [self._result(job, 0)] if job.do == "partial" and now >= job.starts_at else []
            word = "pending" if now < job.starts_at else "processing"
            return reply({"data": [*first, {**head, "status": word}]})
        if job.do == "model_error":
            code = job.rule.type if job.rule and job.rule.type else "timeoutProvider"
            return reply({"data": [], "errors": [_error(code, job.task)]})
        results = [self._result(job, number) for number in range(2 if job.do == "partial" else 1)]
        if job.do == "half":
            return reply({"data": results, "errors": [_error("timeoutProvider", job.task)]})
        return reply({"data": results})

    def _promise(self, job: RunwareJob) -> None:
        """One webhook a result."""
        for number in range(2 if job.do == "partial" else 1) if job.task.get("webhookURL") else ():
            letter = Letter(
                url=str(job.task["webhookURL"]),
                model=str(job.task.get("model", "")),
                request_id=str(job.task["taskUUID"]),
                event_id="",
                at=lambda: job.ends_at,
                body=lambda number=number: json.dumps(self._told(job, number)).encode(),  # type: ignore[misc]
                signer=Unsigned(),
            )
            self._desk.postman.promise(letter)

    def _told(self, job: RunwareJob, number: int) -> dict[str, Any]:
        if job.do == "model_error":
            return {"errors": [_error(job.rule.type if job.rule and job.rule.type else "timeoutProvider", job.task)]}
        return {"data": [self._result(job, number)]}

    def _result(self, job: RunwareJob, number: int) -> dict[str, Any]:
        word, name = _WORDS[job.kind], f"{job.task['taskUUID']}/{number}"
        units = job.seconds if job.kind != "png" else 1
        found = {
            **_head(job.task),
            "status": "success",
            f"{word}UUID": str(uuid4()),
            f"{word}URL": f"{self.origin}/media/{name}.{job.kind}",
            "cost": round(_UNIT_USD[job.kind] * units, 6),
            "seed": job.task.get("seed", int(name[:8], 16)),
        }
        if job.do in ("no_output", "bytes"):
            del found[f"{word}URL"]
        if job.do == "bytes":
            found[f"{word}Base64Data"] = base64.b64encode(content(job.kind, job.seconds)).decode()
        if job.do == "no_cost" or not job.task.get("includeCost"):
            del found["cost"]
        return found

    def _upload(self, task: dict[str, Any]) -> Answer:
        field, name = _UPLOADS[task["taskType"]]
        if not re.match(r"data:\w+/[\w.+-]+;base64,", str(task.get(field, ""))):
            return _refuse(f"invalid{field.capitalize()}", task, 400, parameter=field)
        return reply({"data": [{**_head(task), name: str(uuid4())}]})

    def _media(self, request: Request) -> Answer:
        job = self._jobs.get(request.path.split("/")[2])
        if job is None:
            return reply({"error": "Not found"}, 404)
        return Answer(content_type=CONTENT_TYPES[job.kind], make=partial(content, job.kind, job.seconds))


def _task(request: Request) -> dict[str, Any] | None:
    """The one task of the request; None where there is none."""
    tasks = request.json()
    return tasks[0] if isinstance(tasks, list) and tasks and isinstance(tasks[0], dict) else None


def _head(task: dict[str, Any]) -> dict[str, Any]:
    return {"taskType": task["taskType"], "taskUUID": task["taskUUID"]}


def _wrong(task: dict[str, Any]) -> str:
    """The code of what is wrong with a task that makes something; "" when it is fine."""
    kind = task.get("taskType")
    if kind not in _JOBS:
        return "invalidTaskType"
    if not task.get("model"):
        return "missingModel"
    if kind == "upscale":
        return "" if isinstance(task.get("inputs"), dict) else "missingInputs"
    spoken = task.get("speech")
    if not (task.get("positivePrompt") or (isinstance(spoken, dict) and spoken.get("text"))):
        return "missingPositivePrompt"
    if kind == "imageInference" and not (task.get("width") and task.get("height")):
        return "missingWidth"
    return ""


def _is_uuid4(value: object) -> bool:
    try:
        return isinstance(value, str) and UUID(value).version == 4
    except ValueError:
        return False


def _error(code: str, task: dict[str, Any], **more: str) -> dict[str, Any]:
    text = f"Refused: {task.get('positivePrompt', '')}"  # the vendor's messages repeat prompts; ours must not
    return {"code": code, "message": text, "documentation": "https://runware.ai/docs/errors", **more, **_named(task)}


def _named(task: dict[str, Any]) -> dict[str, Any]:
    return _head(task) if "taskUUID" in task else {}


def _refuse(code: str, task: dict[str, Any], status: int, **more: str) -> Answer:
    return reply({"errors": [_error(code, task, **more)]}, status)
