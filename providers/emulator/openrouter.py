"""OpenRouter's media API as its documentation knows it: clips that are polled, pictures and speech at once, the key."""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.postman import Letter
from providers.emulator.price_lists import clips_sold
from providers.emulator.signers import Stamped
from providers.emulator.wire import Answer, Request, reply

_VIDEO = re.compile(r"/videos/(?P<id>[^/]+)(?P<content>/content)?")
_PAID = frozenset({"/images", "/videos", "/audio/speech"})
_COST = {"/images": 0.04, "/videos": 0.5}
_CALLED = ("https:", "http://127.0.0.1:", "http://localhost:")  # the vendor itself calls over https only
WEBHOOK_SECRET = "the emulator's own secret"  # noqa: S105 (of no account)
_FLAGGED = {"reasons": ["violence"], "flagged_input": "A...", "provider_name": "Emu", "model_slug": "emu/model"}


@dataclass(slots=True, kw_only=True)
class Clip:
    """One accepted clip. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    request_id: str
    model: str
    seconds: float
    starts_at: float
    ends_at: float
    rule: Rule | None = None

    @property
    def does(self) -> str:
        """The fault that hit it; "" for none."""
        return self.rule.do if self.rule else ""

    def status(self, now: float) -> str:
        """In the vendor's words."""
        if now < self.ends_at:
            return "pending" if now < self.starts_at else "in_progress"
        return {"fail": "failed", "cancelled": "cancelled", "expired": "expired"}.get(self.does, "completed")


class OpenRouterSheet:
    """See the module. Vendor's faults on submit: reject (400), flagged (403, moderated), no_provider (503),
    late_error (200 with an error: the model began and failed; `status`, `body`: its text), byok (paid for with a key of
    its own), no_output; for a clip: fail (`body`: the error's text), cancelled, expired, several (two clips).
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._clips: dict[str, Clip] = {}
        self._signer = Stamped(WEBHOOK_SECRET, "X-OpenRouter-Signature", "X-OpenRouter-Idempotency-Key")

    def aim(self, request: Request) -> tuple[str, str]:
        path = _inner(request)
        if request.method == "POST" and path in _PAID:
            body = request.json()
            return "submit", str(body.get("model", "")) if isinstance(body, dict) else ""
        if request.method != "GET":
            return "unknown", ""
        if path in ("/key", "/videos/models", "/images/models"):
            return "account" if path == "/key" else "models", ""
        found = _VIDEO.fullmatch(path)
        if found is None:
            return "unknown", ""
        clip = self._clips.get(found["id"])
        return "media" if found["content"] else "status", clip.model if clip else ""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key or key == "invalid":
            return _refuse(401, "No auth credentials found" if not key else "User not found.")
        answers: dict[str, Callable[[], Answer]] = {
            "submit": lambda: self._submit(request, rule),
            "status": lambda: self._status(request),
            "media": lambda: self._content(request),
            "account": lambda: reply({"data": {"label": "emu", "usage": 0, "limit": None, "is_free_tier": False}}),
            "models": lambda: reply({"data": clips_sold() if _inner(request) == "/videos/models" else []}),
        }
        return answers[on]() if on in answers else _refuse(404, "Not Found")

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        path, (_, model) = _inner(request), self.aim(request)
        seen = self._desk.journal.submission(model, request, rule.do if rule else None)
        body = request.json()
        do = rule.do if rule else ""
        wrong = "Invalid input" if do == "reject" else _wrong(path, body)
        if wrong:
            return _refuse(400, wrong)
        if do == "flagged":
            return _refuse(403, "Your input was flagged.", metadata=_FLAGGED)
        if do == "no_provider":
            return _refuse(503, "No available model provider meets your routing requirements.")
        seen.request_id = f"gen-{uuid4().hex}"
        if rule and do == "late_error":
            return _refuse(rule.status or 502, str(rule.body or "Provider returned error"), answered=200)
        if path == "/videos":
            seen.request_id = seen.request_id.removeprefix("gen-")
            return self._accepted(seen.request_id, body, rule)
        answer = _speech(body) if path == "/audio/speech" else _images(do)
        answer.headers["x-generation-id"] = seen.request_id
        answer.delay_s = self._desk.pace.queue_s + self._desk.pace.run_s
        return answer

    def _accepted(self, request_id: str, body: dict[str, Any], rule: Rule | None) -> Answer:
        now, pace = self._desk.clock.now(), self._desk.pace
        clip = Clip(
            request_id=request_id,
            model=body["model"],
            seconds=float(body.get("duration", 5)),
            starts_at=now + pace.queue_s,
            ends_at=now + pace.queue_s + pace.run_s,
            rule=rule,
        )
        self._clips[request_id] = clip
        if body.get("callback_url"):
            self._desk.postman.promise(self._letter(clip, str(body["callback_url"])))
        return reply({**_names(clip), "status": "pending"}, 202)

    def _status(self, request: Request) -> Answer:
        clip, now = self._find(request), self._desk.clock.now()
        return reply(self._document(clip, now)) if clip else _refuse(404, "Job not found")

    def _letter(self, clip: Clip, url: str) -> Letter:
        def told() -> bytes:
            data = {**self._document(clip, clip.ends_at), "model": clip.model}
            created_at = datetime.now(UTC).isoformat()
            event = {"type": f"video.generation.{data['status']}", "created_at": created_at, "data": data}
            return json.dumps(event).encode()

        return Letter(
            url=url,
            model=clip.model,
            request_id=clip.request_id,
            event_id=f"evt-{clip.request_id}",
            at=lambda: clip.ends_at,
            body=told,
            signer=self._signer,
        )

    def _document(self, clip: Clip, now: float) -> dict[str, Any]:
        status = clip.status(now)
        document: dict[str, Any] = {**_names(clip), "status": status}
        if now >= clip.ends_at:
            document["generation_id"] = f"gen-{clip.request_id}"
        if status == "failed":
            document["error"] = str((clip.rule.body if clip.rule else None) or "The provider could not make the video")
        if status == "completed":
            base = f"{self.origin}/api/v1/videos/{clip.request_id}/content"
            count = {"several": 2, "no_output": 0}.get(clip.does, 1)
            document["unsigned_urls"] = [f"{base}?index={index}" for index in range(count)]
            document["usage"] = {"cost": _COST["/videos"], "is_byok": clip.does == "byok"}
        return document

    def _content(self, request: Request) -> Answer:
        clip, keep_s = self._find(request), self._desk.pace.keep_s
        now = self._desk.clock.now()
        index = parse_qs(request.query).get("index", ["0"])[0]
        if clip is None or clip.status(now) != "completed" or index not in ("0", "1"):
            return _refuse(404, "Job not found")
        if keep_s is not None and now > clip.ends_at + keep_s:
            return _refuse(404, "Content has expired")
        seconds = clip.seconds
        return Answer(content_type=CONTENT_TYPES["mp4"], make=lambda: content("mp4", seconds))

    def _find(self, request: Request) -> Clip | None:
        found = _VIDEO.fullmatch(_inner(request))
        return self._clips.get(found["id"]) if found else None


def _inner(request: Request) -> str:
    """The path below the API's own, which an address may hold or not."""
    return request.path.removeprefix("/api/v1")


def _names(clip: Clip) -> dict[str, str]:
    return {"id": clip.request_id, "polling_url": f"/api/v1/videos/{clip.request_id}"}


def _wrong(path: str, body: Any) -> str:
    """What is wrong with a request; "" when it is fine."""
    if not isinstance(body, dict):
        return "Invalid JSON body"
    needed = ("model", "input", "voice") if path == "/audio/speech" else ("model", "prompt")
    frames = body.get("frame_images", [])
    pictures = [*body.get("input_references", []), *frames]
    complaints = {
        **{f"{name}: Required": not body.get(name) for name in needed},
        "image_url: Required": not all(_is_picture(one) for one in pictures),
        "frame_type: Invalid option": any(one.get("frame_type") not in ("first_frame", "last_frame") for one in frames),
        "duration: Expected integer": not isinstance(body.get("duration", 1), int),
        "callback_url: must be HTTPS": not str(body.get("callback_url", "https:")).startswith(_CALLED),
    }
    return next((complaint for complaint, is_so in complaints.items() if is_so), "")


def _is_picture(one: Any) -> bool:
    if not isinstance(one, dict) or one.get("type") != "image_url" or not isinstance(one.get("image_url"), dict):
        return False
    return str(one["image_url"].get("url")).startswith(("https://", "http://", "data:image/"))


def _images(do: str) -> Answer:
    def make() -> bytes:
        text = base64.b64encode(content("png", 0)).decode()
        data = [] if do == "no_output" else [{"b64_json": text, "media_type": "image/png"}]
        usage = {"prompt_tokens": 9, "completion_tokens": 1290, "total_tokens": 1299, "cost": _COST["/images"]}
        return json.dumps(
            {"created": 1_767_225_600, "data": data, "usage": {**usage, "is_byok": do == "byok"}}
        ).encode()

    return Answer(make=make)


def _speech(body: dict[str, Any]) -> Answer:
    seconds = max(len(str(body["input"])) / 15, 0.5)
    return Answer(content_type="audio/mpeg", make=lambda: content("mp3", seconds))


def _refuse(code: int, message: str, *, answered: int | None = None, **more: object) -> Answer:
    return reply({"error": {"code": code, "message": message, **more}}, answered or code)
