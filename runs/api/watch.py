"""Who watches which run in this process, and one look at the database for all of them.

A second apart, one query reads the revisions of every watched run; a change wakes its watchers, and the first of them
reads the snapshot for the rest. So a thousand browsers cost what one costs, and none holds a connection while it waits.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.db import DatabaseError, connections
from rest_framework.utils.encoders import JSONEncoder

from runs.api.serializers import document
from runs.queries import read_picture, revisions
from runs.states import RUN_FINAL

logger = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
T = TypeVar("T")
_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A RunDocument, written down."""

    revision: int
    data: str
    is_final: bool


async def off_the_loop(work: Callable[[], T]) -> T:
    """`work` in a thread of its own, whose database connection is given back before this returns."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await sync_to_async(run, thread_sensitive=False)()


class Watchers:
    """The watchers of one event loop."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._newest: dict[str, int] = {}
        self._snapshots: dict[tuple[str, bool], Snapshot] = {}
        self._locks: dict[tuple[str, bool], asyncio.Lock] = {}
        self._looking: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, run_id: str, *, revision: int) -> Iterator[asyncio.Event]:
        """A bell that rings when the run is beyond `revision`; clear it before you look."""
        bell = asyncio.Event()
        self._bells.setdefault(run_id, set()).add(bell)
        self._note(run_id, revision)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield bell
        finally:
            self._bells[run_id].discard(bell)
            if not self._bells[run_id]:
                self._forget(run_id)

    async def snapshot(self, run_id: str, *, secrets: bool) -> Snapshot:
        """The run as it is at its newest known revision, read once for everybody. Raises NotFound, DatabaseError."""
        key = (run_id, secrets)
        async with self._locks.setdefault(key, asyncio.Lock()):
            known = self._snapshots.get(key)
            if known is None or known.revision < self._newest.get(run_id, 0):
                known = await off_the_loop(lambda: _read(run_id, secrets=secrets))
                if run_id in self._bells:
                    self._snapshots[key] = known
            return known

    def _note(self, run_id: str, revision: int) -> None:
        if revision > self._newest.get(run_id, -1):
            self._newest[run_id] = revision
            for bell in self._bells.get(run_id, ()):
                bell.set()

    def _forget(self, run_id: str) -> None:
        del self._bells[run_id]
        self._newest.pop(run_id, None)
        for secrets in (True, False):
            self._snapshots.pop((run_id, secrets), None)
            self._locks.pop((run_id, secrets), None)

    async def _look(self) -> None:
        """Once a second, for as long as anybody watches anything."""
        while self._bells:
            await asyncio.sleep(LOOK_EVERY_S)
            run_ids = list(self._bells)
            try:
                found = await off_the_loop(lambda ids=run_ids: revisions(ids))  # type: ignore[misc]
            except DatabaseError as exc:
                logger.warning("watch=blind error=%s", type(exc).__name__)
                continue
            for run_id, revision in found.items():
                if run_id in self._bells:
                    self._note(run_id, revision)


def _read(run_id: str, *, secrets: bool) -> Snapshot:
    picture = read_picture(run_id)
    data = _encoder.encode(document(picture, secrets=secrets))
    return Snapshot(revision=picture.run.revision, data=data, is_final=picture.run.status in RUN_FINAL)


_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Watchers]" = WeakKeyDictionary()


def watchers() -> Watchers:
    """Those of the running event loop."""
    return _by_loop.setdefault(asyncio.get_running_loop(), Watchers())
