"""GMI Cloud's request queue as its model pages know it: models, requests, lists, uploads by a signed address."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import CONTENT_TYPES, content
from providers.emulator.wire import Answer, Request, reply

QUEUE = "/api/v1/ie/requestqueue/apikey"
SIGNED_FOR = {  # file type: the content type that the PUT must have, to the letter
    "png": "image/png",
    "jpg": "image/jpg",
    "jpeg": "image/jpeg",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}
COMPLAINTS: dict[str, dict[str, Any]] = {  # a failure's `type`: where GMI says why, and how
    "rate_limit": {"outcome": {"error": "request failed: rate limit exceeded(RPM)"}},
    "moderation": {"error": {"message": "The input was blocked by moderation: a lighthouse"}},
    "": {"message": "The model could not finish the request."},
}
_AUDIO = re.compile(r"tts|speech|music|audio|voice", re.IGNORECASE)
_IMAGE = re.compile(r"seedream|seededit|image(?!2video|-to-video)|flux|bria|reve", re.IGNORECASE)
_CREATED = 1_767_225_600


@dataclass(slots=True, kw_only=True)
class GmiRequest:
    """One accepted request. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    request_id: str
    model: str
    payload: dict[str, Any]
    starts_at: float
    ends_at: float
    rule: Rule | None = None

    @property
    def kind(self) -> str:
        """png, mp4 or wav, by the model's name."""
        return "wav" if _AUDIO.search(self.model) else "png" if _IMAGE.search(self.model) else "mp4"

    @property
    def seconds(self) -> float:
        """The length that was asked for; 5 where nothing was."""
        asked = self.payload.get("duration", self.payload.get("durationSeconds", 5))
        return float(asked)

    @property
    def fault(self) -> str:
        """What its submission's fault does; "" where there is none."""
        return self.rule.do if self.rule else ""


class GmiSheet:
    """See the module. Vendor's faults on submit: fail (`type`: rate_limit, moderation or ""), cancelled, no_output,
    partial (one of two results has no address), bare (addresses without records), at_once (the answer to the
    submission is the finished record), wrap (records lie in `data`), reject (400).
    """

    def __init__(self, desk: Desk) -> None:
        self.origin = ""
        self._desk = desk
        self._requests: dict[str, GmiRequest] = {}
        self._tickets: dict[str, str] = {}
        self._files: dict[str, tuple[str, bytes]] = {}

    def aim(self, request: Request) -> tuple[str, str]:
        if request.path.startswith(("/media/", "/store/")):
            return ("media" if request.method == "GET" else "upload"), ""
        what, _, which = request.path.removeprefix(f"{QUEUE}/").partition("/")
        if what == "requests" and request.method == "POST":
            body = request.json()
            return "submit", str(body.get("model", "")) if isinstance(body, dict) else ""
        known = self._requests.get(which)
        on = {"requests": "status" if which else "list", "upload-url": "upload", "models": "models"}.get(
            what, "unknown"
        )
        return on, known.model if known else ""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if request.path.startswith("/media/"):
            return self._media(request)
        if request.path.startswith("/store/"):
            return self._store(request)
        key = request.headers.get("authorization", "")
        if not key.startswith("Bearer ") or key in ("Bearer ", "Bearer invalid"):
            return reply({"error": "Unauthorized: the API key is not valid."}, 401)
        answers = {"submit": self._submit, "status": self._status, "upload": self._ticket}
        if on in answers:
            return answers[on](request, rule)
        if on == "list":
            return self._list(request)
        return self._models(request) if on == "models" else reply({"error": "not found"}, 404)

    def _submit(self, request: Request, rule: Rule | None) -> Answer:
        _, model = self.aim(request)
        seen = self._desk.journal.submission(model, request, rule.do if rule else None)
        body = request.json()
        wrong = _wrong(body) or (rule is not None and rule.do == "reject")
        if wrong:
            return reply({"error": "Generation rejected; please review the prompt and parameters: a lighthouse"}, 400)
        now, pace = self._desk.clock.now(), self._desk.pace
        made = GmiRequest(
            request_id=str(uuid4()),
            model=model,
            payload=body["payload"],
            starts_at=now + pace.queue_s,
            ends_at=now + pace.queue_s + pace.run_s,
            rule=rule,
        )
        self._requests[made.request_id] = made
        seen.request_id = made.request_id
        waits = made.kind == "wav"  # these are answered when they are made, and the result is in the next answer
        if waits or made.fault == "at_once":
            made.starts_at = made.ends_at = now
        record = self._record(made)
        if record["status"] == "success" and made.fault != "at_once":
            record.pop("outcome")
        answer = _wrapped(made, record)
        answer.delay_s = pace.queue_s + pace.run_s if waits else 0.0
        return answer

    def _status(self, request: Request, rule: Rule | None) -> Answer:
        found = self._requests.get(request.path.rsplit("/", 1)[-1])
        if found is None or self._is_gone(found):
            return reply({"error": "request not found"}, 404)
        return _wrapped(found, self._record(found))

    def _list(self, request: Request) -> Answer:
        model = parse_qs(request.query).get("model_id", [""])[0]
        records = [self._record(one) for one in self._requests.values() if model in ("", one.model)]
        return reply({"requests": records, "total": len(records)})

    def _models(self, request: Request) -> Answer:
        model = request.path.removeprefix(f"{QUEUE}/models").strip("/")
        if not model:
            return reply(
                {"model_ids": sorted({"seedance-2-0-260128", *(one.model for one in self._requests.values())})}
            )
        price = {"price": 0.07, "pricing_type": "video length", "unit": "second"}
        return reply({"model": model, "brief_description": "", "parameters": [], "price_info": price})

    def _word(self, made: GmiRequest) -> str:
        now = self._desk.clock.now()
        if now < made.ends_at:
            return "queued" if now < made.starts_at else "processing"
        return {"fail": "failed", "cancelled": "cancelled"}.get(made.fault, "success")

    def _record(self, made: GmiRequest) -> dict[str, Any]:
        status = self._word(made)
        record = {
            "request_id": made.request_id,
            "org_id": "org",
            "model": made.model,
            "status": status,
            "payload": made.payload,
            "qworker_id": "worker",
            "is_public": False,
            **dict.fromkeys(("created_at", "updated_at", "queued_at"), _CREATED),
        }
        if status == "failed":
            return record | COMPLAINTS[made.rule.type if made.rule else ""]
        return record | ({"outcome": self._outcome(made)} if status == "success" else {})

    def _outcome(self, made: GmiRequest) -> dict[str, Any]:
        url = f"{self.origin}/media/{made.request_id}/0.{made.kind}"
        match made.fault:
            case "no_output":
                return {}
            case "partial":
                return {"media_urls": [{"id": "0", "url": url}, {"id": "1", "error": "not made"}, None]}
            case "bare":
                return {"media_urls": [url, url]}
        listed = {"media_urls": [{"id": "0", "url": url}]}
        if made.kind == "wav":
            return {"audio_url": url, "duration_ms": 5000, **listed}
        thumbnail = f"{self.origin}/media/{made.request_id}/thumbnail.png"
        return listed if made.kind == "png" else {"video_url": url, "thumbnail_image_url": thumbnail, **listed}

    def _ticket(self, request: Request, rule: Rule | None) -> Answer:
        body = request.json()
        signed_for = SIGNED_FOR.get(str(body.get("file_type")) if isinstance(body, dict) else "")
        if signed_for is None:
            return reply({"error": "unsupported file_type"}, 400)
        ticket = uuid4().hex
        self._tickets[ticket] = signed_for
        url = f"{self.origin}/store/{ticket}"
        return reply({"upload_url": f"{url}?X-Goog-Signature=secret", "public_url": f"{self.origin}/media/{ticket}/0"})

    def _store(self, request: Request) -> Answer:
        """The object store: the address is the permission, and any other header of a key's breaks its signature."""
        ticket = request.path.removeprefix("/store/")
        signed_for = self._tickets.get(ticket)
        if request.method != "PUT" or request.headers.get("content-type") != signed_for:
            return reply({"error": "SignatureDoesNotMatch"}, 403)
        if "authorization" in request.headers:
            return reply({"error": "two ways to sign in"}, 400)
        self._files[ticket] = (signed_for or "", request.body)
        return Answer(body=b"", content_type="text/plain")

    def _media(self, request: Request) -> Answer:
        name = request.path.strip("/").split("/")[1]
        if name in self._files:
            content_type, data = self._files[name]
            return Answer(body=data, content_type=content_type)
        made = self._requests.get(name)
        if made is None or self._is_gone(made):
            return reply({"error": "NoSuchKey"}, 404)
        return Answer(content_type=CONTENT_TYPES[made.kind], make=partial(content, made.kind, made.seconds))

    def _is_gone(self, made: GmiRequest) -> bool:
        keep_s = self._desk.pace.keep_s
        return keep_s is not None and self._desk.clock.now() > made.ends_at + keep_s


def _wrapped(made: GmiRequest, record: dict[str, Any]) -> Answer:
    return reply({"data": record} if made.fault == "wrap" else record)


def _wrong(body: Any) -> bool:
    """Does it lack what every request has: a model, and a payload with words?"""
    if not isinstance(body, dict) or not body.get("model") or not isinstance(body.get("payload"), dict):
        return True
    payload = body["payload"]
    both = "first_frame" in payload and any(name.startswith("reference_") for name in payload)
    return both or not (payload.get("prompt") or payload.get("text"))
