"""The server, as a worker talks to it: patiently, since every report may be sent twice."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import requests

_TIMEOUT_S = (5.0, 60.0)
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 10.0


class Refused(Exception):
    """The server understood and said no. `code` is stable, `status` is HTTP's."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail or code)
        self.status, self.code = status, code

    @property
    def is_canceled(self) -> bool:
        """Somebody stopped the run."""
        return self.status == 410


class Unreachable(Exception):
    """The server did not answer, or is not itself."""


Call = Callable[[str, str, Mapping[str, Any]], dict[str, Any]]  # method, path below the flows' address, body
Patience = Callable[[], bool]  # whether to try once more


class Backend:
    """One server. Methods raise Refused, and Unreachable where nobody answered as long as was waited."""

    def __init__(self, call: Call) -> None:
        """`call` asks once: it raises what the methods raise."""
        self._call = call

    def claim(self, body: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Runs for this worker."""
        found: list[dict[str, Any]] = self._call("POST", "claims", body)["claims"]
        return found

    def sync(self, manifest: Mapping[str, Any]) -> str:
        """Tell of a flow: created or updated."""
        return str(self._call("PUT", f"manifests/{quote(str(manifest['name']), safe='')}", manifest)["status"])

    def report(self, attempt: str, verb: str, body: Mapping[str, Any], *, while_: Patience) -> dict[str, Any]:
        """Tell how an attempt stands, again and again where nobody answers and `while_` holds."""
        pause_s = _PAUSE_S
        while True:
            try:
                return self._call("POST", f"attempts/{attempt}/{verb}", body)
            except Unreachable:
                if not while_():
                    raise
            time.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


def over_http(address: str, token: str) -> Call:
    """Asks a server. `address` is the flows' own, such as https://zaps.example.com/api/flows."""
    base, local = address.rstrip("/"), threading.local()

    def call(method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.headers["Authorization"] = f"Bearer {token}"
        try:
            answer = local.session.request(
                method, f"{base}/{path}", json=dict(body), timeout=_TIMEOUT_S, allow_redirects=False
            )
            document = answer.json() if answer.content else {}
        except (requests.RequestException, ValueError) as exc:
            raise Unreachable(type(exc).__name__) from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unreachable(f"status {answer.status_code}")
        if not answer.ok or not isinstance(document, dict):
            said = document if isinstance(document, dict) else {}
            raise Refused(answer.status_code, str(said.get("code", "REFUSED")), str(said.get("detail", "")))
        return document

    return call
