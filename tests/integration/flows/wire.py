"""A client of the wire that shares no code with the server: bytes on a socket out, and answers read strictly."""

import hashlib
import hmac
import json
import socket
from urllib.parse import quote

SECRET = "s3cret-of-the-flows"
UNRESERVED = "-_.!~*'()"  # with letters and digits, what encodeURIComponent leaves alone


def exchange(port, method, target, headers, body=b""):
    """Send a request as it stands; the answer's status, headers in lower case, and body."""
    lines = [f"{method} {target} HTTP/1.1", f"host: 127.0.0.1:{port}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        try:
            line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent; the answer is there already
        with line.makefile("rb") as answer:
            return _read(answer, method)


def _read(answer, method):
    status = int(answer.readline().split(b" ", 2)[1])
    headers = {}
    while (row := answer.readline()) not in (b"\r\n", b""):
        name, _, value = row.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if method == "HEAD" or status == 204:
        return status, headers, b""
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(answer.readline(), 16):
            body += answer.read(size + 2)[:-2]
        return status, headers, body
    return status, headers, answer.read(int(headers["content-length"]))


def signature(body, secret=SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Failed(Exception):
    """What the client throws: it never looks at the body of a refusal."""


class Client:
    """The seven requests. `wire` keeps the status and headers of the last answer."""

    def __init__(self, port, base="/api/flows", *, headers=None, bearer="", api_key="", secret=""):
        self.port, self.base, self.secret = port, base.rstrip("/") + "/", secret
        self.headers = {**(headers or {})}
        if bearer:
            self.headers["authorization"] = f"Bearer {bearer}"
        if api_key:
            self.headers["x-api-key"] = api_key

    def list_runs(self, **query):
        return _rows(self._call("GET", f"runs{_query(query)}"), "runs", read_run)

    def get_run(self, run_id):
        body = self._call("GET", f"runs/{enc(run_id)}")
        return read_run(body.get("run", body))

    def list_events(self, **query):
        return _rows(self._call("GET", f"events{_query(query)}"), "events", read_event)

    def get_event(self, event_id):
        body = self._call("GET", f"events/{enc(event_id)}")
        return read_event(body["event"]), _rows(body, "runs", read_run)

    def dispatch(self, event, **query):
        return read_dispatch(self._call("POST", f"events{_query(query)}", event))

    def replay(self, event_id, **body):
        return read_dispatch(self._call("POST", f"events/{enc(event_id)}/replay", body))

    def cancel(self, run_id):
        return read_run(self._call("POST", f"runs/{enc(run_id)}/cancel", {})["run"])

    def _call(self, method, path, body=None):
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"accept": "*/*", "accept-language": "*", "sec-fetch-mode": "cors", "user-agent": "node"}
        headers |= {"accept-encoding": "gzip, deflate", **self.headers}
        if body is not None:
            headers |= {"content-type": "application/json", "content-length": str(len(raw))}
            if self.secret:
                headers["x-flow-signature-256"] = signature(raw, self.secret)
        status, self.answered, text = exchange(self.port, method, self.base + path, headers, raw)
        if not 200 <= status < 300 or not text:
            raise Failed(f"{method} {path} failed: {status}")
        return json.loads(text)


def enc(text):
    return quote(text, safe=UNRESERVED)


def _query(values):
    given = "&".join(f"{enc(name)}={enc(str(value))}" for name, value in values.items())
    return f"?{given}" if given else ""


def _rows(body, name, read):
    """A list stands under its name; anything else is an empty list to the client."""
    rows = body.get(name) if isinstance(body, dict) else None
    return [read(row) for row in rows] if isinstance(rows, list) else []


def _typed(row, kind, *names):
    """What has the right type; text that is empty and numbers in place of text are dropped."""
    found = {name: row[name] for name in names if isinstance(row.get(name), kind) and not isinstance(row[name], bool)}
    return {name: value for name, value in found.items() if value != ""}


def read_dispatch(body):
    found = _typed(body, str, "status", "eventId") | _typed(body, int, "matched") | _typed(body, list, "runIds")
    found |= {"idempotent": body["idempotent"]} if isinstance(body.get("idempotent"), bool) else {}
    return found | {"event": read_event(body["event"]), "runs": _rows(body, "runs", read_run)}


def read_event(row):
    texts = _typed(row, str, "type", "source", "occurredAt", "receivedAt", "createdAt")
    return texts | {"id": row.get("id") or row.get("eventId"), "payload": row.get("payload")}


def read_run(row):
    texts = ("eventId", "flowName", "stepName", "runner", "backend", "error", "status")
    moments = ("createdAt", "startedAt", "completedAt", "updatedAt")
    run = _typed(row, str, *texts, *moments) | _typed(row, int | float, "flowVersion", "attemptCount")
    run["id"] = row.get("id") or row["runId"]
    result = row.get("result")
    run["result"] = result if isinstance(result, dict) else None
    run["attempts"] = [_read_attempt(one) for one in row.get("attempts", [])]
    run["output"] = [_typed(piece, str, "kind", "text", "createdAt") for piece in row.get("output", [])]
    said = (run["result"] or {}).get("status")
    known = ("skipped", "completed", "changed", "needs_intervention", "blocked", "failed")
    run["effective"] = said if said in known else run["status"]
    return run


def _read_attempt(row):
    texts = _typed(row, str, "status", "workerId", "startedAt", "completedAt", "error")
    return texts | _typed(row, int, "attemptNumber", "leaseExpiresAt") | {"id": row.get("id") or row["attemptId"]}
