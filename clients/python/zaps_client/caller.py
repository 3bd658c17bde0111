"""Calls a server, and says what it answered as the types of `zaps_client.types`."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, cast
from urllib.parse import quote, urljoin, urlsplit

import requests

from zaps_client.sse import read_events
from zaps_client.types import (
    AcceptedDocument,
    ApproveRequest,
    FeedbackRequest,
    ForkRequest,
    PlanDocument,
    Problem,
    RunDocument,
    RunPage,
    RunRequest,
    UploadRow,
    ZapDocument,
    ZapPage,
)

Verb: TypeAlias = Literal["cancel", "reject", "retry", "resume", "rerun-from"]
_LONGEST_PAUSE_S = 30.0
_SILENCE_S = 45.0  # the server sends a sign of life every 15


class Refused(Exception):
    """The server said no. `code` is stable; `problem` says the rest, `remediation` what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.code}: {self.problem['detail']} {self.problem['remediation']}"

    @property
    def code(self) -> str:
        """What to branch on."""
        return self.problem["code"]


class Zaps:
    """A server at `base_url`, asked with an API key. Every call raises Refused where the server says no, and what
    `requests` raises where it cannot be reached."""

    def __init__(self, base_url: str, *, key: str | None = None, timeout_s: float = 30.0) -> None:
        self._base_url, self._timeout_s = base_url, timeout_s
        self._http = requests.Session()
        if key is not None:
            self._http.headers["Authorization"] = f"Bearer {key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def recipes(self, query: str = "", *, cursor: str | None = None) -> ZapPage:
        """Recipes with all of those words; the next page with the `nextCursor` of this one."""
        return cast(ZapPage, self.call("GET", "/api/zaps", query=query, cursor=cursor))

    def recipe(self, slug: str) -> ZapDocument:
        """One of them, with its text."""
        return cast(ZapDocument, self.call("GET", f"/api/zaps/{quote(slug, safe='')}"))

    def plan(self, order: RunRequest) -> PlanDocument:
        """What would happen, and cost. Nothing does."""
        return cast(PlanDocument, self.call("POST", "/api/zaps/run", {**order, "mode": "plan"}))

    def run(self, order: RunRequest, *, idempotency_key: str | None = None) -> AcceptedDocument:
        """Begin a run: free with `mode` mock, the default. With the same key a second call is the same run."""
        return cast(AcceptedDocument, self.call("POST", "/api/zaps/run", order, idempotency_key=idempotency_key))

    def runs(self, *, status: str | None = None, cursor: str | None = None) -> RunPage:
        """My runs, newest first."""
        return cast(RunPage, self.call("GET", "/api/runs", status=status, cursor=cursor))

    def get(self, run_id: str) -> RunDocument:
        """A run as it now is."""
        return cast(RunDocument, self.call("GET", _of(run_id)))

    def follow(self, run_id: str) -> Iterator[RunDocument]:
        """A run as it now is, again whenever it changes, until it has ended.

        Each is the whole document, so whoever is slow misses nothing. A connection that breaks is opened again after
        the last event that came, ever later while nobody answers.
        """
        seen, asked, pause = "", 2.0, 2.0
        while True:
            try:
                with self._open(run_id, seen) as answer:
                    if answer.status_code == requests.codes.no_content:
                        return
                    pause = asked
                    for event in read_events(answer.iter_content(chunk_size=None)):
                        seen, asked = event.id or seen, event.retry_s or asked
                        pause = asked
                        if event.name == "snapshot":
                            yield cast(RunDocument, json.loads(event.data))
            except Refused as exc:
                if not exc.problem["retryable"]:
                    raise
            except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
                pass
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def approve(self, run_id: str, choice: ApproveRequest | None = None) -> RunDocument:
        """Let a step pass that waits for a person, with one of its results, or else the best."""
        return cast(RunDocument, self.call("POST", _of(run_id, "approve"), choice or {}))

    def feedback(self, run_id: str, said: FeedbackRequest) -> RunDocument:
        """Say what you think of what was made."""
        return cast(RunDocument, self.call("POST", _of(run_id, "feedback"), said))

    def fork(self, run_id: str, changes: ForkRequest) -> AcceptedDocument:
        """A new run, with other inputs; what does not change is taken over for nothing."""
        return cast(AcceptedDocument, self.call("POST", _of(run_id, "fork"), changes))

    def act(self, run_id: str, verb: Verb, **said: object) -> RunDocument:
        """Lay hands on a run: `act(run_id, "cancel")`, `act(run_id, "retry", stepId="dance")`."""
        return cast(RunDocument, self.call("POST", _of(run_id, verb), said))

    def upload(self, path: Path) -> UploadRow:
        """Send a picture, a clip or a sound; a run takes it as `upload:{uploadId}`."""
        with path.open("rb") as file:
            sent = self._http.post(self._at("/api/uploads"), files={"file": file}, timeout=self._timeout_s)
        return cast(UploadRow, _json(sent))

    def save(self, url: str, path: Path) -> None:
        """Write an asset's bytes, found by its `url`, to a file."""
        with (
            _checked(self._http.get(self._at(url), stream=True, timeout=self._timeout_s)) as answer,
            path.open("wb") as file,
        ):
            for chunk in answer.iter_content(chunk_size=1 << 16):
                file.write(chunk)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        idempotency_key: str | None = None,
        **query: str | int | None,
    ) -> Any:
        """What any other address answers, as JSON; None where it answers nothing. Values of None are left out."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else None
        return _json(
            self._http.request(
                method, self._at(path), json=body, params=query, headers=headers, timeout=self._timeout_s
            )
        )

    def _open(self, run_id: str, seen: str) -> requests.Response:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": seen} if seen else {})
        times = (self._timeout_s, _SILENCE_S)
        return _checked(self._http.get(self._at(_of(run_id, "events")), headers=headers, stream=True, timeout=times))

    def _at(self, path: str) -> str:
        """The whole address of `path`. Raises ValueError for one of another server: the key is for this one only."""
        address = urljoin(self._base_url, path)
        if urlsplit(address)[:2] != urlsplit(self._base_url)[:2]:
            raise ValueError("The key is for one server only, and this address is another's.")
        return address


def _of(run_id: str, verb: str = "") -> str:
    return f"/api/runs/{quote(run_id, safe='')}" + (f"/{verb}" if verb else "")


def _json(answer: requests.Response) -> Any:
    return _checked(answer).json() if answer.status_code != requests.codes.no_content else None


def _checked(answer: requests.Response) -> requests.Response:
    """The answer, if it is good. Raises Refused."""
    if answer.ok:
        return answer
    try:
        said = answer.json()
    except requests.JSONDecodeError:
        said = None
    answer.close()
    if isinstance(said, dict) and {"code", "detail", "remediation", "retryable"} <= said.keys():
        raise Refused(cast(Problem, said))
    raise Refused(_unexplained(answer.status_code))


def _unexplained(status: int) -> Problem:
    """For an answer without a document: whatever stood in between, a proxy say, has given it."""
    return {
        "type": "about:blank",
        "title": "No explanation",
        "status": status,
        "code": "UNEXPLAINED",
        "detail": f"The server answered {status} without saying why.",
        "remediation": "Try again in a moment.",
        "retryable": status >= requests.codes.server_error or status == requests.codes.too_many_requests,
        "errors": [],
    }
