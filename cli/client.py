"""The one way for a verb to reach Zaps: the HTTP interface, at ZAP_API_URL or inside this process."""

import importlib
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from cli import faults
from cli.exits import Exit, of_problem

TIMEOUT_S = 60.0
_TRIES = 3


class Client(Protocol):
    """Speaks the HTTP interface. `is_local`: the database, the storage and the workers are this machine's."""

    @property
    def is_local(self) -> bool: ...

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """The JSON answer. `key` is the Idempotency-Key. Raises Fault for a problem document."""
        ...

    def path_of(self, storage_key: str) -> str | None:
        """The file of an asset; None where storage is not local."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClient:
    """Over the network."""

    base_url: str
    token: str = field(default="", repr=False)
    is_local: bool = False

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """See Client. What is safe to repeat is tried three times when the network fails."""
        tries = _TRIES if method == "GET" or key is not None else 1
        for tried in range(1, tries + 1):
            try:
                return self._once(method, path, body, key)
            except (urllib.error.URLError, TimeoutError, ConnectionError, json.JSONDecodeError):
                if tried < tries:
                    time.sleep(0.5 * tried)
        raise faults.fault(
            "API_UNREACHABLE",
            f"{self.base_url} does not answer as Zaps would.",
            exit_code=Exit.FAILED,
            remediation="Check ZAP_API_URL, and that the server is up.",
            retryable=True,
        )

    def path_of(self, storage_key: str) -> str | None:
        """The files are the server's."""
        return None

    def _once(self, method: str, path: str, body: Any, key: str | None) -> Any:
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 (connect() lets only http and https through)
            f"{self.base_url}{path}", data=data, headers=headers, method=method
        )
        try:
            with _OPENER.open(request, timeout=TIMEOUT_S) as answer:
                return read_answer(answer.status, answer.read())
        except urllib.error.HTTPError as exc:
            with exc:
                return read_answer(exc.code, exc.read())


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token must not travel to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """None: the redirect itself is the answer."""


_OPENER = urllib.request.build_opener(_StayHere)


def read_answer(status: int, content: bytes) -> Any:
    """The JSON of a good answer. Raises Fault for a problem document, JSONDecodeError for what is no JSON."""
    document = json.loads(content) if content else {}
    if 200 <= status < 300:
        return document
    if not isinstance(document, Mapping) or "code" not in document:
        raise faults.fault(
            "API_UNREACHABLE",
            f"The server answered {status} and not as Zaps would.",
            exit_code=Exit.FAILED,
            remediation="Check ZAP_API_URL.",
            retryable=status >= 500,
        )
    raise faults.Fault(document, exit_code=of_problem(status))


def connect() -> Client:
    """The server that ZAP_API_URL names, else this machine's own. Raises Fault."""
    address = os.environ.get("ZAP_API_URL", "").rstrip("/")
    if not address:
        client: Client = importlib.import_module("cli.inprocess").enter()
        return client
    if urlsplit(address).scheme not in {"http", "https"} or not urlsplit(address).hostname:
        raise faults.bad_input(
            "API_URL_INVALID", "ZAP_API_URL is no http or https address.", "Write it like https://zap.example.com."
        )
    return HttpClient(base_url=address, token=os.environ.get("ZAP_TOKEN", ""))
