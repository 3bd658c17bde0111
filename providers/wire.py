"""A call as bytes: the same for both transports."""

import base64
import hashlib
import json
import re

from providers.contract import Call
from providers.errors import KeyRefused

_CARRIED = re.compile(r"[ -~]*")
_ALWAYS = {"Accept-Encoding": "identity", "User-Agent": "zaps"}


def encode(call: Call) -> tuple[bytes | None, dict[str, str]]:
    """The request's body and headers as they go over the wire.

    Raises KeyRefused for a header that cannot be sent: only a key comes from people. The libraries would repeat it.
    """
    if not all(_CARRIED.fullmatch(value) for value in call.headers.values()):
        raise KeyRefused("The key holds what no header can carry.")
    if call.json is None:
        return call.body, {**_ALWAYS, **call.headers}
    body = json.dumps(call.json, separators=(",", ":")).encode()
    return body, {**_ALWAYS, "Content-Type": "application/json", **call.headers}


def is_bare(call: Call) -> bool:
    """Whether it asks for something and brings nothing."""
    return call.method == "GET" and call.json is None and not call.body and not call.paid


def idem_header(idem_key: str) -> dict[str, str]:
    """What names our attempt to a vendor that takes no id of ours. It is ignored there; a journal can count by it."""
    return {"X-Zap-Idem-Key": hashlib.sha256(idem_key.encode()).hexdigest()}


def data_url(content_type: str, content: bytes) -> str:
    """The bytes as an address that holds them."""
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"
