"""Replicate's API as its documentation and its official client know it: predictions, files, the account."""

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from providers import multipart
from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.postman import Letter
from providers.emulator.predictions import Prediction, is_complete, span
from providers.emulator.signers import Standard
from providers.emulator.wire import Answer, Request, reply

_LISTS = frozenset({"flux-dev", "flux-schnell"})  # models that answer with a list, even of one
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_PREDICT = (  # whose prediction is asked for
    re.compile(r"/v1/models/(?P<model>[^/]+/[^/]+)/predictions"),
    re.compile(r"/v1/deployments/(?P<model>[^/]+/[^/]+)/predictions"),
    re.compile(r"/v1/predictions"),
)
_ONE = re.compile(r"/v1/predictions/(?P<id>[^/]+)(?P<cancel>/cancel)?")


class ReplicateSheet:
    """See the module. Vendor's faults on submit: fail (`body`: the error's text), aborted, stopped (canceled by the
    vendor at work), no_output, object (the output is an object), partial (shows its first file too early), at_once
    (answered when it is done), reject (422 at once); on cancel: ignore.
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._began = desk.clock.now()
        self._signer = Standard(b"the emulator's own secret, 32 b.")
        self._predictions: dict[str, Prediction] = {}
        self._files: dict[str, multipart.Part] = {}

    def aim(self, request: Request) -> tuple[str, str]:
        if request.method == "POST":
            for pattern in _PREDICT:
                found = pattern.fullmatch(request.path)
                if found:
                    return "submit", found.groupdict().get("model") or _version(request)
        found = _ONE.fullmatch(request.path)
        if found:
            prediction = self._predictions.get(found["id"])
            return "cancel" if found["cancel"] else "status", prediction.model if prediction else ""
        kinds = {"/v1/predictions": "list", "/v1/account": "account", "/v1/webhooks/default/secret": "secret"}
        start = next((name for name in ("/v1/files", "/media") if request.path.startswith(name)), "")
        return {"/v1/files": "upload", "/media": "media"}.get(start) or kinds.get(request.path, "unknown"), ""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if on == "media":
            return self._media(request)
        key = request.headers.get("authorization", "").removeprefix("Bearer ").removeprefix("Token ")
        if not key or key == "invalid":
            return _refuse(401, "Unauthenticated", "You did not pass a valid authentication token")
        answers: dict[str, Callable[[], Answer]] = {
            "submit": lambda: self._submit(request, rule),
            "status": lambda: self._status(request),
            "cancel": lambda: self._cancel(request, rule),
            "upload": lambda: self._upload(request),
            "list": lambda: reply({"previous": None, "next": None, "results": self._all()}),
            "account": lambda: reply({"type": "user", "username": "emu", "name": "Emu", "github_url": None}),
            "secret": lambda: reply({"key": self._signer.secret}),
        }
        return answers[on]() if on in answers else _refuse(404, "Not found", "The requested resource was not found.")

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        _, model = self.aim(request)
        seen = self._desk.journal.submission(model, request, rule.do if rule else None)
        body = request.json()
        asked = body.get("input") if isinstance(body, dict) else None
        if not isinstance(asked, dict) or not is_complete(model, asked) or (rule and rule.do == "reject"):
            return _refuse(422, "Input validation failed", "- input: prompt is required\n")
        now, pace = self._desk.clock.now(), self._desk.pace
        prediction = Prediction(
            request_id=base64.b32encode(uuid4().bytes).decode().rstrip("=").lower(),
            model=model,
            version=str(body.get("version", "hidden")).rpartition(":")[2],
            input=asked,
            made_at=now,
            starts_at=now + pace.queue_s,
            ends_at=now + pace.queue_s + pace.run_s,
            webhook=body.get("webhook"),
            rule=rule,
        )
        prediction.spoil(within_s=span(request.headers.get("cancel-after")))
        self._predictions[prediction.request_id] = prediction
        seen.request_id = prediction.request_id
        wanted = body.get("webhook_events_filter", ["start", "completed"])
        for event in ("start", "completed") if prediction.webhook else ():
            if event in wanted:
                self._desk.postman.promise(self._letter(prediction, event))
        return self._created(prediction, request)

    def _letter(self, prediction: Prediction, event: str) -> Letter:
        def at() -> float:
            return prediction.starts_at if event == "start" else prediction.ends_at

        return Letter(
            url=str(prediction.webhook),
            model=prediction.model,
            request_id=prediction.request_id,
            event_id=f"msg_{prediction.request_id}_{event}",
            at=at,
            body=lambda: json.dumps(self._document(prediction, at())).encode(),
            signer=self._signer,
        )

    def _created(self, prediction: Prediction, request: Request) -> Answer:
        """At once, or, where `Prefer: wait` asks for it, when it is done, or when that has been waited for in vain."""
        now = self._desk.clock.now()
        if prediction.does == "at_once":
            prediction.ends_at = now
            return reply(self._document(prediction, now), 201)
        prefer = request.headers.get("prefer", "")
        if not prefer.startswith("wait"):
            return reply(self._document(prediction, min(now, prediction.starts_at - 1)), 201)
        left_s, patience_s = max(prediction.ends_at - now, 0.0), span(prefer.partition("=")[2]) or 60.0
        waited = Answer(status=201 if left_s <= patience_s else 202, delay_s=min(left_s, patience_s))
        waited.make = lambda: json.dumps(self._document(prediction, self._desk.clock.now())).encode()
        return waited

    def _status(self, request: Request) -> Answer:
        prediction = self._find(request)
        if prediction is None:
            return _refuse(404, "Not found", "The requested resource was not found.")
        return reply(self._document(prediction, self._desk.clock.now()))

    def _cancel(self, request: Request, rule: Rule | None) -> Answer:
        prediction, now = self._find(request), self._desk.clock.now()
        if prediction is None:
            return _refuse(404, "Not found", "The requested resource was not found.")
        if now < prediction.ends_at and not (rule and rule.do == "ignore"):
            prediction.ends_at, prediction.ending = now, "canceled"
        return reply(self._document(prediction, now))

    def _all(self) -> list[dict[str, Any]]:
        now = self._desk.clock.now()
        return [self._document(one, now) for one in reversed(self._predictions.values())]

    def _document(self, prediction: Prediction, now: float) -> dict[str, Any]:
        status = prediction.status(now)
        base = f"{self.origin}/v1/predictions/{prediction.request_id}"
        began, over = now >= prediction.starts_at, now >= prediction.ends_at
        keep_s = self._desk.pace.keep_s
        removed = keep_s is not None and now > prediction.ends_at + keep_s
        return {
            "id": prediction.request_id,
            "model": prediction.model,
            "version": prediction.version,
            "status": status,
            "input": {} if removed else prediction.input,
            "output": None if removed else self._output(prediction, status),
            "error": prediction.error if over else None,
            "logs": prediction.logs(status) if began and not removed else "",
            "metrics": {"predict_time": prediction.ends_at - prediction.starts_at} if status == "succeeded" else {},
            "created_at": self._time(prediction.made_at),
            "started_at": self._time(prediction.starts_at) if began and status != "aborted" else None,
            "completed_at": self._time(prediction.ends_at) if over else None,
            "data_removed": removed,
            "urls": {
                "get": base,
                "cancel": f"{base}/cancel",
                "web": f"https://replicate.com/p/{prediction.request_id}",
            },
        }

    def _output(self, prediction: Prediction, status: str) -> Any:
        files = [
            f"{self.origin}/media/{prediction.request_id}/{number}.{prediction.kind}"
            for number in range(prediction.count)
        ]
        if status == "processing" and prediction.does == "partial":
            return files[:1]
        if status != "succeeded" or prediction.does == "no_output":
            return None
        if prediction.does == "object":
            return {"note": "made by the emulator", "files": files}
        return files if prediction.model.rpartition("/")[2] in _LISTS else files[0]

    def _media(self, request: Request) -> Answer:
        name, _, file = request.path.removeprefix("/media/").partition("/")
        prediction = self._predictions.get(name)
        if prediction is None or not file.endswith(f".{prediction.kind}"):
            return reply({"detail": "Not found"}, 404)
        seconds = prediction.seconds
        return Answer(content_type=CONTENT_TYPES[prediction.kind], make=lambda: content(prediction.kind, seconds))

    def _upload(self, request: Request) -> Answer:
        name = request.path.removeprefix("/v1/files").strip("/")
        if request.method == "GET" and name in self._files:
            return reply(self._file(name))
        part = multipart.read(request.headers.get("content-type", ""), request.body).get("content")
        if request.method != "POST" or name or part is None:
            return _refuse(404, "Not found", "The requested resource was not found.")
        name = uuid4().hex
        self._files[name] = part
        return reply(self._file(name), 201)

    def _file(self, name: str) -> dict[str, Any]:
        part = self._files[name]
        return {
            "id": name,
            "name": part.filename or "content",
            "content_type": part.content_type,
            "size": len(part.content),
            "etag": name,
            "checksums": {},
            "metadata": {},
            "created_at": self._time(self._began),
            "expires_at": self._time(self._began + 86_400),
            "urls": {"get": f"{self.origin}/v1/files/{name}"},
        }

    def _find(self, request: Request) -> Prediction | None:
        found = _ONE.fullmatch(request.path)
        return self._predictions.get(found["id"]) if found else None

    def _time(self, moment: float) -> str:
        return (_BEGAN + timedelta(seconds=moment - self._began)).isoformat(timespec="milliseconds")


def _version(request: Request) -> str:
    body = request.json()
    return str(body.get("version", "")).partition(":")[0] if isinstance(body, dict) else ""


def _refuse(status: int, title: str, detail: str) -> Answer:
    return reply({"title": title, "detail": detail, "status": status}, status)
