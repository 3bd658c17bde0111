"""The last word on how large a request may be.

Django under ASGI writes a whole body to disk before anybody has looked at the request. So a body ends here, by what
its heading says and by counting.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_MEGABYTE = 1_000_000
_MOST_BYTES = 32 * _MEGABYTE  # a run with its media as data: URIs is the largest
_UPLOADS = "/api/uploads"
_WEBHOOK = re.compile(r"/api/providers/[^/]*/webhook/")
_PROBLEM = (
    b'{"type":"urn:zap:problem:BODY_TOO_LARGE","title":"The request is too large.","status":413,'
    b'"code":"BODY_TOO_LARGE","detail":"The request is too large.","remediation":"Send less.","retryable":false,'
    b'"errors":[]}'
)


class BodyCap:
    """Answers 413 for a body that is larger than `most_bytes`; at the address of uploads, `upload_bytes`.

    Webhooks, which anybody may send, have at most a megabyte.
    """

    def __init__(self, app: App, *, upload_bytes: int, most_bytes: int = _MOST_BYTES) -> None:
        self._app, self._most, self._upload = app, most_bytes, upload_bytes + _MEGABYTE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most_at(scope["path"])
        if _promised(scope) > most:
            await _refuse(send)
            return
        taken = 0

        async def counted() -> Mapping[str, Any]:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            # A client that says less than it sends is cut off, as if it had hung up.
            return message if taken <= most else {"type": "http.disconnect"}

        await self._app(scope, counted, send)

    def _most_at(self, path: str) -> int:
        if _WEBHOOK.match(path):
            return _MEGABYTE
        return self._upload if path == _UPLOADS else self._most


def _promised(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() and len(text) < 20 else 0


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _PROBLEM})
