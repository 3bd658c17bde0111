"""The hub of runs, and a run's newest snapshot, read and written down once for all who watch it."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.db.models import QuerySet
from rest_framework.utils.encoders import JSONEncoder

from core.api import sse
from core.api.hub import Hub
from core.notices import Notice
from runs import dispatch
from runs.api.serializers import document
from runs.models import Run
from runs.queries import read_picture
from runs.states import RUN_FINAL

_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A RunDocument, written down as the event that shows it."""

    number: int
    event: bytes
    is_final: bool


async def newest_snapshot(pk: int, run_id: str, *, secrets: bool) -> Snapshot:
    """The run as it is, or as it was a moment ago where nobody has changed it. Raises NotFound, DatabaseError."""
    found: Snapshot = await hub().read(pk, secrets, lambda: _read(run_id, secrets=secrets))
    return found


def _read(run_id: str, *, secrets: bool) -> Snapshot:
    picture = read_picture(run_id)
    data = _encoder.encode(document(picture, secrets=secrets))
    revision = picture.run.revision
    event = sse.format_event(name="snapshot", data=data, event_id=revision)
    return Snapshot(number=revision, event=event, is_final=picture.run.status in RUN_FINAL)


def notices_of(runs: QuerySet[Run]) -> list[Notice]:
    """At which revisions they stand."""
    found = runs.values_list("pk", "owner_id", "revision")
    return [Notice(pk, owner or 0, revision) for pk, owner, revision in found]


def _newest(keys: Collection[int]) -> list[Notice]:
    return notices_of(Run.objects.filter(pk__in=keys))


_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def hub() -> Hub:
    """That of the running event loop."""
    return _by_loop.setdefault(asyncio.get_running_loop(), Hub(dispatch.CHANGED, _newest))
