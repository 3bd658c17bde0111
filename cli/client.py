"""The one way for a verb to reach Zaps: the HTTP interface, at ZAP_API_URL or inside this process."""

import http.client
import importlib
import json
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import quote, urlsplit

import filetype  # type: ignore[import-untyped]

from cli import faults
from cli.exits import Exit, of_problem
from cli.form import FileForm

TIMEOUT_S = 60.0
UPLOAD_TIMEOUT_S = 600.0  # between two pieces
_TRIES = 3
_HEAD_BYTES = 8192
_SCHEMES = frozenset({"http", "https"})
# An answer that breaks off, or is no text, is nobody's who is in order.
_GONE = (
    urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException, json.JSONDecodeError,
    UnicodeDecodeError,
)  # fmt: skip


class Client(Protocol):
    """Speaks the HTTP interface. `is_local`: the database, the storage and the workers are this machine's."""

    @property
    def is_local(self) -> bool: ...

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """The JSON answer. `key` is the Idempotency-Key. Raises Fault for a problem document."""
        ...

    def send(self, path: Path) -> str:
        """Upload the file. Returns the value that names it in an input. Raises Fault, and OSError."""
        ...

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """Write the file that is there. Raises Fault for a problem document."""
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
            except _GONE:
                if tried < tries:
                    time.sleep(0.5 * tried)
        raise self._unreachable()

    def send(self, path: Path) -> str:
        """See Client. To the server's bucket where it has one, else to the server; whoever repeats it gets the same."""
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            direct_id = self._send_to_bucket(file, size)
            file.seek(0)
            try:
                return upload_of(self._complete(direct_id) if direct_id else self._send_here(file, size))
            except _GONE:
                raise self._unreachable() from None

    def fetch(self, path: str, into: IO[bytes]) -> None:
        """See Client."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = urllib.request.Request(f"{self.base_url}{path}", headers=headers)  # noqa: S310
        try:
            with _OPENER.open(request, timeout=UPLOAD_TIMEOUT_S) as answer:
                shutil.copyfileobj(answer, into)
        except urllib.error.HTTPError as exc:
            with exc:
                read_answer(exc.code, exc.read())
        except _GONE:
            raise self._unreachable() from None

    def path_of(self, storage_key: str) -> str | None:
        """The files are the server's."""
        return None

    def content_of(self, asset_id: str, *, at_most: int) -> bytes:
        """The first bytes of an asset, from the server or the bucket that it names. Raises OSError and ValueError."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        address = f"{self.base_url}/api/assets/{quote(asset_id, safe='')}/content"
        request = urllib.request.Request(address, headers=headers)  # noqa: S310
        with _TO_BUCKET.open(request, timeout=TIMEOUT_S) as answer:
            return bytes(answer.read(at_most))

    def _send_here(self, file: IO[bytes], size: int) -> Any:
        form = FileForm(file, size=size)
        return self._ask("POST", "/api/uploads", form, form.headers, timeout_s=UPLOAD_TIMEOUT_S)

    def _send_to_bucket(self, file: IO[bytes], size: int) -> str | None:
        """What it is completed by; None where it did not get there, for whatever reason: then the server takes it."""
        kind = filetype.guess(file.read(_HEAD_BYTES))
        file.seek(0)
        try:
            signed = self.call("POST", "/api/uploads/sign", {"contentType": kind.mime if kind else "", "size": size})
            if urlsplit(signed["url"]).scheme not in _SCHEMES:
                return None
            form = FileForm(file, size=size, fields=signed["formFields"])
            request = urllib.request.Request(signed["url"], data=form, headers=form.headers)  # noqa: S310
            with _OPENER.open(request, timeout=TIMEOUT_S):
                return str(signed["id"])
        except (faults.Fault, *_GONE):
            return None

    def _complete(self, direct_id: str) -> Any:
        return self._ask("POST", f"/api/uploads/{direct_id}/complete", None, {}, timeout_s=UPLOAD_TIMEOUT_S)

    def _once(self, method: str, path: str, body: Any, key: str | None) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return self._ask(method, path, data, headers, timeout_s=TIMEOUT_S)

    def _ask(
        self, method: str, path: str, data: bytes | FileForm | None, headers: dict[str, str], *, timeout_s: float
    ) -> Any:
        headers = {"Accept": "application/json", **headers}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(  # noqa: S310 (connect() lets only http and https through)
            f"{self.base_url}{path}", data=data, headers=headers, method=method
        )
        try:
            with _OPENER.open(request, timeout=timeout_s) as answer:
                return read_answer(answer.status, answer.read())
        except urllib.error.HTTPError as exc:
            with exc:
                return read_answer(exc.code, exc.read())

    def _unreachable(self) -> faults.Fault:
        return faults.fault(
            "API_UNREACHABLE",
            f"{self.base_url} does not answer as Zaps would.",
            exit_code=Exit.FAILED,
            remediation="Check ZAP_API_URL, and that the server is up.",
            retryable=True,
        )


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token must not travel to another host."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """None: the redirect itself is the answer."""


class _LeaveTheToken(urllib.request.HTTPRedirectHandler):
    """Follows the server to its bucket, and leaves the token behind."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        """A request without Authorization; refused unless it stays http or https."""
        if urlsplit(newurl).scheme not in _SCHEMES:
            raise urllib.error.URLError("no address that is followed")
        return urllib.request.Request(newurl)  # noqa: S310


_OPENER = urllib.request.build_opener(_StayHere)
_TO_BUCKET = urllib.request.build_opener(_LeaveTheToken)


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


def upload_of(answer: Mapping[str, Any]) -> str:
    """The value that names an upload in an input."""
    return f"upload:{answer['uploadId']}"


def connect() -> Client:
    """The server that ZAP_API_URL names, else this machine's own. Raises Fault."""
    address = os.environ.get("ZAP_API_URL", "").rstrip("/")
    if not address:
        client: Client = importlib.import_module("cli.inprocess").enter()
        return client
    if urlsplit(address).scheme not in _SCHEMES or not urlsplit(address).hostname:
        raise faults.bad_input(
            "API_URL_INVALID", "ZAP_API_URL is no http or https address.", "Write it like https://zap.example.com."
        )
    return HttpClient(base_url=address, token=os.environ.get("ZAP_TOKEN", ""))
