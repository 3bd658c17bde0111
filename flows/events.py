"""Accepting what happened: the event and every run that it starts, in one transaction or not at all."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from core.again import again
from core.errors import BadInput, NotFound, Problem
from flows import sql
from flows.event import Event, read_event
from flows.manifest import Step, step_from
from flows.matching import Listener, concurrency_key, match
from flows.models import FlowEvent, FlowReplay, FlowRun
from flows.new import NewRun, accept, add
from flows.refusals import EventChanged, RunEnded
from flows.states import RunStatus

MAX_KEY = 200

_LISTENERS = """
SELECT m.name, m.version, m.revision, m.root, m.config, m.steps -> t.position, t.schema::text
FROM flow_triggers AS t JOIN flow_manifests AS m ON m.id = t.manifest_id
WHERE t.type = %(type)s AND m.disabled_at IS NULL AND m.deleted_at IS NULL
ORDER BY t.manifest_id, t.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What became of an event. `matched` counts the runs that this call made; `run_ids` are all that there are."""

    status: str  # accepted or duplicate
    event_id: str
    run_ids: tuple[str, ...]
    matched: int
    missed: tuple[Mapping[str, str], ...] = ()


@again
def dispatch(data: Any, *, at: datetime | None = None) -> Dispatch:
    """Accept an event and make the runs that it starts. Sent again, it names the same runs and makes none.

    Raises BadInput, and EventChanged when the id is known for another event.
    """
    event = read_event(data, at=at or timezone.now())
    new, missed = _wanted(event.type, event.source, event.payload)
    with transaction.atomic() if any(one.key for one in new) else nullcontext():
        run_ids = accept(event, new, missed, at=at)
    if run_ids is None:
        return _duplicate(event)
    return _accepted(event.id, run_ids, missed)


@again
@transaction.atomic
def replay(event_id: str, *, key: str = "", at: datetime | None = None) -> Dispatch:
    """Run a stored event against the manifests as they are now. The same `key` sent again names the same runs.

    Raises NotFound and BadInput.
    """
    if len(key) > MAX_KEY:
        problem = Problem(code="KEY_INVALID", message=f"A key has at most {MAX_KEY} characters.", path="key")
        raise BadInput(problem.message, problems=[problem])
    event = _locked(event_id)
    if key and (before := FlowReplay.objects.filter(event=event, key=key).first()):
        runs = FlowRun.objects.filter(event=event, replay=before.number).order_by("pk")
        return Dispatch(
            status="duplicate", event_id=event_id, run_ids=tuple(runs.values_list("run_id", flat=True)), matched=0
        )
    new, missed = _wanted(event.type, event.source, event.payload)
    number = _again(event, key, missed)
    return _accepted(event_id, add(new, event=event.pk, replay=number, at=at), missed)


@again
@transaction.atomic
def redrive(run_id: str, *, at: datetime | None = None) -> str:
    """Try a run that failed or was canceled once more: the id of a new run of the same step, as it stood then.

    Raises NotFound, and RunEnded where the run completed or has not ended.
    """
    old = FlowRun.objects.filter(run_id=run_id).select_related("event").first()
    if old is None:
        raise NotFound(f"There is no run {run_id[:80]!r}.")
    if old.status not in (RunStatus.FAILED, RunStatus.CANCELED):
        raise RunEnded(f"Only a run that failed or was canceled can be redriven; this one is {old.status}.")
    number = _again(_locked(old.event.event_id), "", [])
    new = NewRun(
        flow=old.flow_name,
        version=old.flow_version,
        step=replace(step_from(old.snapshot["step"]), delay_ms=0),
        key=old.concurrency_key,
        snapshot=old.snapshot,
    )
    return add([new], event=old.event_id, replay=number, at=at)[0]


def _duplicate(event: Event) -> Dispatch:
    known = FlowEvent.objects.get(event_id=event.id)
    run_ids = tuple(known.runs.order_by("pk").values_list("run_id", flat=True))
    if known.digest != event.digest:
        raise EventChanged(f"The id {event.id[:80]!r} belongs to another event.", eventId=event.id, runIds=run_ids)
    return Dispatch(status="duplicate", event_id=event.id, run_ids=run_ids, matched=0)


def _wanted(type: str, source: str | None, payload: Any) -> tuple[list[NewRun], list[dict[str, str]]]:
    """The runs that an event starts, and why it starts no others."""
    matches = match(_listeners(type), payload)
    new = [
        NewRun(
            flow=one.flow,
            version=one.version,
            step=one.step,
            key=concurrency_key(one.step.concurrency_key, type=type, source=source, payload=payload),
            snapshot={"step": one.content, "config": one.config, "root": one.root, "revision": one.revision},
        )
        for one in matches.started
    ]
    return new, matches.missed


def _listeners(type: str) -> list[Listener]:
    found = []
    for name, version, revision, root, config, text, schema in sql.rows(_LISTENERS, {"type": type}):
        content, step = _step(text)
        found.append(
            Listener(
                flow=name, version=version, revision=revision, root=root, config=sql.value(config), content=content,
                step=step, schema=schema or "",
            )
        )  # fmt: skip
    return found


@lru_cache(maxsize=2048)
def _step(text: str) -> tuple[Mapping[str, Any], Step]:
    content = sql.value(text)
    return content, step_from(content)


def _locked(event_id: str) -> FlowEvent:
    event = FlowEvent.objects.select_for_update().filter(event_id=event_id).first()
    if event is None:
        raise NotFound(f"There is no event {event_id[:80]!r}.")
    return event


def _again(event: FlowEvent, key: str, missed: list[dict[str, str]]) -> int:
    event.replays += 1
    event.save(update_fields=["replays"])
    FlowReplay.objects.create(event=event, number=event.replays, key=key, missed=missed)
    return event.replays


def _accepted(event_id: str, run_ids: list[str], missed: list[dict[str, str]]) -> Dispatch:
    return Dispatch(
        status="accepted", event_id=event_id, run_ids=tuple(run_ids), matched=len(run_ids), missed=tuple(missed)
    )
