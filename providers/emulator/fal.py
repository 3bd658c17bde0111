"""fal's queue as its documentation and its official client know it: submit, status, stream, result, cancel, files."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from providers.emulator.desk import Desk
from providers.emulator.fal_jobs import FalJob, FalKeys, app_of, webhook_body
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.postman import Letter
from providers.emulator.price_lists import fal_prices
from providers.emulator.wire import Answer, Request, reply

_STREAM_EVERY_S = 0.05
ERROR_STATUS = {  # how the result of a job that ended with such an error is answered
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_disconnected": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
    "internal_error": 500,
}


class FalSheet:
    """See the module. Vendor's faults on submit: model_error (`type`, `status`, `retryable`: the result refuses),
    infra_error (`type`: completed with an error), no_output, reject (422 at once); on cancel: ignore.
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._jobs: dict[str, FalJob] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self._keys = FalKeys()
        self._token = uuid4().hex

    def aim(self, request: Request) -> tuple[str, str]:
        parts = request.path.strip("/").split("/")
        if parts[0] in ("storage", "files"):
            return "upload", ""
        if parts[0] == ".well-known":
            return "jwks", ""
        if parts == ["v1", "models", "pricing"]:
            return "prices", ""
        if "requests" in parts[2:]:
            at = parts.index("requests", 2)
            job = self._jobs.get(parts[at + 1]) if len(parts) > at + 1 else None
            ending = "/".join(parts[at + 2 :])
            on = {"": "result", "status": "status", "status/stream": "stream", "cancel": "cancel"}.get(
                ending, "unknown"
            )
            return on, job.model if job else ""
        if parts[0] == "media":
            job = self._jobs.get(parts[1]) if len(parts) > 1 else None
            return "media", job.model if job else ""
        return ("submit" if request.method == "POST" else "unknown"), "/".join(parts)

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if on in ("media", "upload"):
            return self._media(request) if on == "media" else self._upload(request)
        if on == "jwks":
            return self._keys.jwks()
        if not _has_key(request):
            return reply({"detail": "Authentication is required to access this application."}, 401)
        if on in ("submit", "prices"):
            return self._submit(request, rule) if on == "submit" else fal_prices(request)
        job = self._find(request)
        if on == "unknown" or job is None or self._is_gone(job):
            return reply({"status": "NOT_FOUND"} if on == "cancel" else {"detail": "Request not found"}, 404)
        return self._about(on, job, request, rule)

    def _about(self, on: str, job: FalJob, request: Request, rule: Rule | None) -> Answer:
        if on == "cancel":
            return self._cancel(job, rule)
        if on == "result":
            return self._result(job)
        logs = parse_qs(request.query).get("logs", ["0"])[0] in ("1", "true")
        if on == "stream":
            return Answer(content_type="text/event-stream", events=self._stream(job, logs))
        document = self._status(job, logs)
        return reply(document, 200 if document["status"] == "COMPLETED" else 202)

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        _, model = self.aim(request)
        seen = self._desk.journal.submission(model, request, rule.do if rule else None)
        body = request.json()
        if not isinstance(body, dict) or (rule and rule.do == "reject"):
            kind = rule.type if rule and rule.type else "value_error.jsondecode"
            return reply({"detail": [_detail(kind)]}, 422)
        now, pace = self._desk.clock.now(), self._desk.pace
        job = FalJob(
            request_id=str(uuid4()),
            model=model,
            app=app_of(model),
            body=body,
            starts_at=now + pace.queue_s,
            ends_at=now + pace.queue_s + pace.run_s,
            error_type=rule.type or "runner_disconnected" if rule and rule.do == "infra_error" else None,
            rule=rule,
        )
        within_s = float(request.headers.get("x-fal-request-timeout", "inf"))
        if pace.queue_s > within_s:
            job.starts_at = job.ends_at = now + within_s
            job.error_type = "request_timeout"
        self._jobs[job.request_id] = job
        seen.request_id = job.request_id
        for url in parse_qs(request.query).get("fal_webhook", []):
            self._desk.postman.promise(self._letter(job, url))
        place: dict[str, Any] = {"queue_position": self._place(job), "logs": None, "metrics": {}}
        return reply({"status": "IN_QUEUE", "gateway_request_id": job.request_id, **self._names(job), **place})

    def _letter(self, job: FalJob, url: str) -> Letter:
        return Letter(
            url=url,
            model=job.model,
            request_id=job.request_id,
            event_id=job.request_id,
            at=lambda: job.ends_at,
            body=lambda: webhook_body(job, self._result(job)),
            signer=self._keys,
        )

    def _status(self, job: FalJob, logs: bool) -> dict[str, Any]:
        now = self._desk.clock.now()
        names = self._names(job)
        if now < job.starts_at:
            return {"status": "IN_QUEUE", "queue_position": self._place(job), "logs": None, **names}
        shown = [_log(job)] if logs else None
        if now < job.ends_at:
            return {"status": "IN_PROGRESS", "logs": shown, **names}
        done = {
            "status": "COMPLETED",
            "logs": shown,
            "metrics": {"inference_time": job.ends_at - job.starts_at},
            **names,
        }
        if job.error_type is not None:
            done |= {"error": "The request failed.", "error_type": job.error_type}
        return done

    async def _stream(self, job: FalJob, logs: bool) -> AsyncIterator[bytes]:
        last = ""
        while True:
            document = self._status(job, logs)
            text = json.dumps(document)
            yield b": ping\n\n" if text == last else f"data: {text}\n\n".encode()
            last = text
            if document["status"] == "COMPLETED":
                return
            await asyncio.sleep(_STREAM_EVERY_S)

    def _result(self, job: FalJob) -> Answer:
        if self._desk.clock.now() < job.ends_at:
            return reply({"detail": "Request is still in progress"}, 400)
        if job.error_type is not None:
            failed = {"detail": "The request failed.", "error_type": job.error_type}
            return reply(failed, ERROR_STATUS.get(job.error_type, 500), x_fal_error_type=job.error_type)
        if job.rule and job.rule.do == "model_error":
            kind, status = job.rule.type or "content_policy_violation", job.rule.status or 422
            retryable = "true" if job.rule.retryable else "false"
            return reply({"detail": [_detail(kind)]}, status, x_fal_retryable=retryable)
        if not _is_complete(job):
            return reply({"detail": [_detail("value_error.missing")]}, 422, x_fal_retryable="false")
        headers = {"x_fal_request_id": job.request_id, "x_fal_billable_units": f"{_units(job):g}"}
        return reply({} if job.rule and job.rule.do == "no_output" else self._output(job), 200, **headers)

    def _output(self, job: FalJob) -> dict[str, Any]:
        file = {
            "url": f"{self.origin}/media/{job.request_id}/0.{job.kind}",
            "content_type": CONTENT_TYPES[job.kind],
            "file_name": f"0.{job.kind}",
        }
        if job.kind != "png":
            return {"video" if job.kind == "mp4" else "audio": file}
        if "upscale" in job.model:
            return {"image": file}
        seed = job.body.get("seed", int(job.request_id[:8], 16))
        images = [{**file, "width": 512, "height": 288}]
        return {
            "images": images,
            "seed": seed,
            "timings": {},
            "has_nsfw_concepts": [False],
            "prompt": job.body["prompt"],
        }

    def _cancel(self, job: FalJob, rule: Rule | None) -> Answer:
        now = self._desk.clock.now()
        if now >= job.ends_at:
            return reply({"status": "ALREADY_COMPLETED"}, 400)
        if not (rule and rule.do == "ignore"):
            job.ends_at, job.error_type = now, "client_cancelled"
            job.starts_at = min(job.starts_at, now)
        return reply({"status": "CANCELLATION_REQUESTED"}, 202)

    def _media(self, request: Request) -> Answer:
        parts = request.path.strip("/").split("/")
        if len(parts) == 3 and parts[1] in self._files:
            content_type, data = self._files[parts[1]]
            return Answer(body=data, content_type=content_type)
        job = self._jobs.get(parts[1]) if len(parts) == 3 else None
        if job is None or self._is_gone(job):
            return reply({"detail": "Not found"}, 404)
        return Answer(content_type=CONTENT_TYPES[job.kind], make=partial(content, job.kind, job.seconds))

    def _upload(self, request: Request) -> Answer:
        wants, auth = request.path.strip("/"), request.headers.get("authorization", "")
        name = uuid4().hex
        if wants == "storage/auth/token" and _has_key(request):
            ends = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
            return reply({"token": self._token, "token_type": "Bearer", "base_url": self.origin, "expires_at": ends})
        if wants == "storage/upload/initiate" and _has_key(request):
            return reply({"upload_url": f"{self.origin}/files/put/{name}", "file_url": f"{self.origin}/media/{name}/0"})
        if wants.startswith("files/put/") and request.method == "PUT":
            name = wants.removeprefix("files/put/")
        elif wants != "files/upload" or auth != f"Bearer {self._token}":
            return reply({"detail": "Unauthorized"}, 401)
        self._files[name] = (request.headers.get("content-type", "application/octet-stream"), request.body)
        return reply({"access_url": f"{self.origin}/media/{name}/0"})

    def _find(self, request: Request) -> FalJob | None:
        """The job, if the address is under its app: the endpoint's own path does not count there."""
        app, _, rest = request.path.strip("/").partition("/requests/")
        job = self._jobs.get(rest.split("/")[0])
        return job if job is not None and job.app == app else None

    def _is_gone(self, job: FalJob) -> bool:
        keep_s = self._desk.pace.keep_s
        return keep_s is not None and self._desk.clock.now() > job.ends_at + keep_s

    def _place(self, job: FalJob) -> int:
        """One job is thought to leave the queue every half second."""
        return int(max(job.starts_at - self._desk.clock.now(), 0) * 2)

    def _names(self, job: FalJob) -> dict[str, str]:
        base = f"{self.origin}/{job.app}/requests/{job.request_id}"
        urls = {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
        return {"request_id": job.request_id, **urls}


def _has_key(request: Request) -> bool:
    """Any key will do but the one called `invalid`."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return scheme == "Key" and key not in ("", "invalid")


def _is_complete(job: FalJob) -> bool:
    """Is there what its model cannot do without: words, or for one that only enlarges, the file?"""
    needed = ("image_url", "video_url") if "upscale" in job.model else ("prompt", "text")
    return any(job.body.get(name) for name in needed)


def _units(job: FalJob) -> float:
    """In the unit that the price list has for this sort of endpoint."""
    if job.kind == "png":
        return 1
    if "tts" in job.model or "speech" in job.model:
        return len(str(job.body.get("text", ""))) / 1000
    return job.seconds / 60 if "music" in job.model else job.seconds


def _detail(kind: str) -> dict[str, Any]:
    return {"loc": ["body", "prompt"], "msg": "Refused.", "type": kind, "url": f"https://docs.fal.ai/errors#{kind}"}


def _log(job: FalJob) -> dict[str, Any]:
    text = f"Working on: {job.body.get('prompt', '')}"  # the vendor's logs repeat prompts; ours must not
    return {"timestamp": "2026-01-01T00:00:00.000Z", "message": text, "level": "INFO", "source": "app", "labels": {}}
