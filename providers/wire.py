"""A call as bytes: the same for both transports."""

import json

from providers.contract import Call

_ALWAYS = {"Accept-Encoding": "identity", "User-Agent": "zaps"}


def encode(call: Call) -> tuple[bytes | None, dict[str, str]]:
    """The request's body and headers as they go over the wire."""
    if call.json is None:
        return call.body, {**_ALWAYS, **call.headers}
    body = json.dumps(call.json, separators=(",", ":")).encode()
    return body, {**_ALWAYS, "Content-Type": "application/json", **call.headers}
