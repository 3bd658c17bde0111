"""What a manifest says: JSON in, a typed manifest or every problem with its place out. Pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import BadInput
from flows import schemas
from flows.fields import UNSTORABLE, Fields, storable
from flows.states import Runner

TIMEOUT_MS = 300_000  #: of a step that names none
MAX_TIMEOUT_MS = 24 * 3600 * 1000
MAX_ATTEMPTS, MAX_STEPS, MAX_LABELS = 100, 200, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """What starts a step: an event of exactly this type whose payload fits `schema`; None: any payload."""

    type: str
    schema: Any = None
    schema_file: str = ""  # where the author keeps it; only ever shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. `concurrency_key` may name places of the event's payload: `deploy-{payload.repo}`."""

    name: str
    runner: Runner
    script: str
    timeout_ms: int = TIMEOUT_MS
    cwd: str = ""
    trigger: Trigger | None = None
    labels: tuple[str, ...] = ()
    priority: int = 0
    delay_ms: int = 0
    max_attempts: int = 3
    backoff_ms: int = 1000
    retry_on_fail: bool = False
    concurrency_key: str = ""
    concurrency_limit: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One flow. `content` is what was sent, less nothing: what is stored and compared."""

    name: str
    version: float
    description: str = ""
    root: str = ""
    config: Any = None
    steps: tuple[Step, ...] = ()
    content: Mapping[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """SHA-256 of the content, whatever the order of its keys."""
        return digest_of(self.content)


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def read_manifest(data: Any) -> Manifest:
    """The manifest. Raises BadInput with everything that is wrong with it."""
    reader = Fields(data if isinstance(data, Mapping) else {}, "")
    if not isinstance(data, Mapping):
        reader.wrong("", "A manifest is a JSON object.")
    else:
        reader.known("name", "version", "description", "root", "config", "steps")
    values: dict[str, Any] = {
        "name": reader.text("name", required=True, most=200),
        "version": reader.number("version"),
        "description": reader.text("description", most=20_000),
        "root": reader.text("root", most=4000),
        "config": data.get("config") if isinstance(data, Mapping) else None,
        "steps": tuple(_steps(reader)),
    }
    if not reader.problems and not storable(data):
        reader.wrong("", UNSTORABLE)
    if reader.problems:
        raise BadInput("The manifest is not valid.", problems=reader.problems)
    return Manifest(content=dict(data), **values)


def step_from(content: Mapping[str, Any]) -> Step:
    """A step as it was stored: its schema was tried then. Raises BadInput where it is none."""
    reader = Fields(content, "")
    step = _step(reader)
    if reader.problems:
        raise BadInput("The step is not valid.", problems=reader.problems)
    return step


def _steps(reader: Fields) -> Iterator[Step]:
    seen: set[str] = set()
    for place, one in enumerate(reader.rows("steps", most=MAX_STEPS)):
        if not isinstance(one, Mapping):
            reader.wrong(f"steps[{place}]", "A step is an object.")
            continue
        inner = Fields(one, f"steps[{place}]", reader.problems)
        step = _step(inner)
        if step.trigger and step.trigger.schema is not None:
            for message in schemas.faults(step.trigger.schema):
                inner.wrong("trigger.schemaJson", message)
        if step.name in seen:
            inner.wrong("name", f"There are two steps {step.name!r}: a run could not say which one it is of.")
        seen.add(step.name)
        yield step


def _step(reader: Fields) -> Step:
    reader.known(
        "name", "runner", "script", "timeoutMs", "cwd", "trigger", "labels", "priority", "delayMs", "maxAttempts",
        "backoffMs", "retryOnFail", "concurrency",
    )  # fmt: skip
    runner = reader.text("runner", required=True)
    if runner and runner not in set(Runner):
        reader.wrong("runner", f"There is no runner {runner[:40]!r}; there are {', '.join(Runner)}.")
    labels = tuple(reader.rows("labels", most=MAX_LABELS))
    if not all(isinstance(label, str) and 0 < len(label) <= 100 for label in labels):
        reader.wrong("labels", "Labels are texts of 1 to 100 characters.")
    key, limit = _concurrency(reader)
    return Step(
        name=reader.text("name", required=True, most=200),
        runner=Runner(runner) if runner in set(Runner) else Runner.SHELL,
        script=reader.text("script", required=True, most=4000),
        timeout_ms=reader.whole("timeoutMs", TIMEOUT_MS, 1, MAX_TIMEOUT_MS),
        cwd=reader.text("cwd", most=4000),
        trigger=_trigger(reader),
        labels=labels,
        priority=reader.whole("priority", 0, -1000, 1000),
        delay_ms=reader.whole("delayMs", 0, 0, 30 * 24 * 3600 * 1000),
        max_attempts=reader.whole("maxAttempts", 3, 1, MAX_ATTEMPTS),
        backoff_ms=reader.whole("backoffMs", 1000, 0, 3_600_000),
        retry_on_fail=reader.flag("retryOnFail"),
        concurrency_key=key,
        concurrency_limit=limit,
    )


def _concurrency(reader: Fields) -> tuple[str, int]:
    inner = reader.inner("concurrency")
    if inner is None:
        return "", 1
    inner.known("key", "limit")
    return inner.text("key", required=True, most=200), inner.whole("limit", 1, 1, 1000)


def _trigger(reader: Fields) -> Trigger | None:
    inner = reader.inner("trigger")
    if inner is None:
        return None
    inner.known("type", "schema", "schemaJson")
    schema = inner.values.get("schemaJson")
    file = inner.text("schema", most=4000)
    if file and schema is None:
        inner.wrong("schema", "The server cannot read the schema's file. Send what is in it as schemaJson.")
    return Trigger(type=inner.text("type", required=True, most=300), schema=schema, schema_file=file)
