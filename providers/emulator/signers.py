"""How vendors sign their webhooks with a shared secret, or do not."""

import base64
import hashlib
import hmac


class Unsigned:
    """Whoever knows the address is believed."""

    def headers(self, event_id: str, body: bytes, at: int, *, wrong: bool) -> dict[str, str]:
        """None."""
        return {}

    def rotate(self) -> None:
        """There is nothing to change."""


class Standard:
    """After the Standard Webhooks specification; `secret` is what the vendor shows."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @property
    def secret(self) -> str:
        """As the vendor shows it."""
        return f"whsec_{base64.b64encode(self._secret).decode()}"

    def headers(self, event_id: str, body: bytes, at: int, *, wrong: bool) -> dict[str, str]:
        """Beside the true signature stands one of a later version, which nobody understands."""
        secret = b"somebody else's" if wrong else self._secret
        digest = hmac.new(secret, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
        signature = f"v2,AAAA v1,{base64.b64encode(digest).decode()}"
        return {"webhook-id": event_id, "webhook-timestamp": str(at), "webhook-signature": signature}

    def rotate(self) -> None:
        """From now on it signs with another secret."""
        self._secret = hashlib.sha256(self._secret).digest()


class Stamped:
    """`t=…,v1=…` in one header, and the event's id in another."""

    def __init__(self, secret: str, signature: str, event: str) -> None:
        """`signature` and `event` are the names of the headers."""
        self._secret, self._signature, self._event = secret, signature, event

    def headers(self, event_id: str, body: bytes, at: int, *, wrong: bool) -> dict[str, str]:
        """The HMAC of the moment, a comma and the body, in hexadecimal."""
        secret = "somebody else's" if wrong else self._secret
        digest = hmac.new(secret.encode(), f"{at},".encode() + body, hashlib.sha256).hexdigest()
        return {self._signature: f"t={at},v1={digest}", self._event: event_id}

    def rotate(self) -> None:
        """From now on it signs with another secret."""
        self._secret = hashlib.sha256(self._secret.encode()).hexdigest()
