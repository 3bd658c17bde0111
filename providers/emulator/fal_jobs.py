"""What fal's emulator knows of a job, and the webhook that tells of its end."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from providers.emulator.faults import Rule
from providers.emulator.wire import Answer, reply

_USER = "auth0|emulated"
_THREE_PART = frozenset({"workflows", "comfy"})
_VIDEO = re.compile(r"video|veo|kling")
_AUDIO = re.compile(r"audio|speech|tts|music|sound|elevenlabs")


@dataclass(slots=True, kw_only=True)
class FalJob:
    """One accepted request. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    request_id: str
    model: str
    app: str
    body: dict[str, Any]
    starts_at: float
    ends_at: float
    error_type: str | None = None
    rule: Rule | None = None

    @property
    def kind(self) -> str:
        """png, mp4 or wav, by the endpoint's name."""
        return "mp4" if _VIDEO.search(self.model) else "wav" if _AUDIO.search(self.model) else "png"

    @property
    def seconds(self) -> float:
        """The length that was asked for; 5 where nothing was."""
        if "music_length_ms" in self.body:
            return float(self.body["music_length_ms"]) / 1000
        found = re.match(r"[0-9.]+", str(self.body.get("duration", self.body.get("duration_seconds", ""))))
        return float(found[0]) if found else 5.0


class FalKeys:
    """fal's keys for webhooks. Each key list that it shows holds the present one."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()

    def rotate(self) -> None:
        """From now on it signs with another key."""
        self._key = Ed25519PrivateKey.generate()

    def jwks(self) -> Answer:
        """The public key, as JWKS, without padding."""
        x = base64.urlsafe_b64encode(self._key.public_key().public_bytes_raw()).decode().rstrip("=")
        return reply({"keys": [{"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "x": x}]})

    def headers(self, event_id: str, body: bytes, at: int, *, wrong: bool) -> dict[str, str]:
        """fal signs its id of the request, the account, the moment and the body's digest."""
        key = Ed25519PrivateKey.generate() if wrong else self._key
        message = "\n".join([event_id, _USER, str(at), hashlib.sha256(body).hexdigest()])
        return {
            "X-Fal-Webhook-Request-Id": event_id,
            "X-Fal-Webhook-User-Id": _USER,
            "X-Fal-Webhook-Timestamp": str(at),
            "X-Fal-Webhook-Signature": key.sign(message.encode()).hex(),
        }


def webhook_body(job: FalJob, result: Answer) -> bytes:
    """What is told of a job's end: its result, or its error, as it would be answered."""
    payload = json.loads(result.body)
    ids = {"request_id": job.request_id, "gateway_request_id": job.request_id}
    if result.status == 200:
        return json.dumps({**ids, "status": "OK", "payload": payload}).encode()
    error = f"Invalid status code: {result.status}"
    return json.dumps({**ids, "status": "ERROR", "error": error, "payload": payload}).encode()


def app_of(model: str) -> str:
    """The part of an endpoint's name that its jobs are asked for by."""
    parts = model.split("/")
    return "/".join(parts[: 3 if parts[0] in _THREE_PART else 2])
