"""A run in a few words, for whoever watches many: read and written down once for all of them."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from django.db import DatabaseError
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from rest_framework.utils.encoders import JSONEncoder

from core.api.hub import off_the_loop
from core.notices import Notice
from runs.api.serializers import RunRow
from runs.api.watch import hub, notices_of
from runs.models import Run
from runs.states import RUN_FINAL

_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"))

GATHER_S = 0.2  # what changes meanwhile is one event
MOST = 200  # runs at once; whoever has more at work sees the newest
_REMEMBERED = 10_000  # revisions that are not sent again; one that is does no harm
_LATELY = timedelta(minutes=1)


SUMMARY = (
    *("runId", "parentRunId", "zapSlug", "status", "stage", "waitReason", "error", "providerMode", "revision"),
    *("costUsd", "zapUrl", "startedAt", "finishedAt", "statusUrl", "eventsUrl"),
)


class RunSummary(RunRow):
    """What a list shows of a run. Nothing in it is a secret of its owner's."""

    def get_fields(self) -> dict[str, Any]:
        """The few of a RunRow that SUMMARY names."""
        fields = super().get_fields()
        return {name: fields[name] for name in SUMMARY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """The runs that a reader watches: everybody's, an account's, or those of a session without one."""

    everybody: bool = False
    owner_id: int | None = None
    session_id: str = ""

    def runs(self) -> QuerySet[Run]:
        """All of them."""
        if self.everybody:
            return Run.objects.all()
        if self.owner_id is not None:
            return Run.objects.filter(owner_id=self.owner_id)
        return Run.objects.filter(owner=None, session_id=self.session_id)

    def at_work(self, since: datetime | None) -> QuerySet[Run]:
        """Those that have not ended, or not before `since`: the newest, MOST at most."""
        wanted = ~Q(status__in=RUN_FINAL)
        if since is not None:
            wanted |= Q(finished_at__gte=since)
        return self.runs().filter(wanted).order_by("-started_at", "-pk")[:MOST]

    def has(self, run: Run) -> bool:
        """Whether the run is one of them."""
        if self.everybody:
            return True
        if self.owner_id is not None:
            return run.owner_id == self.owner_id
        return run.owner_id is None and run.session_id == self.session_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A RunSummary, written down."""

    run: Run
    data: str


class Reader:
    """One stream: what it has not been sent yet, the newest of each run, and a bell."""

    def __init__(self, whose: Whose) -> None:
        self.whose = whose
        self.bell = asyncio.Event()
        self._unsent: dict[int, str] = {}
        self._sent: dict[int, int] = {}

    def give(self, summary: Summary) -> None:
        """Something new, unless it has it."""
        run = summary.run
        if run.revision <= self._sent.get(run.pk, -1):
            return
        if len(self._sent) > _REMEMBERED:
            self._sent.clear()
        self._sent[run.pk] = run.revision
        self._unsent[run.pk] = summary.data
        self.bell.set()

    def take(self) -> list[str]:
        """What is to be sent now."""
        taken, self._unsent = list(self._unsent.values()), {}
        return taken


class Pump:
    """Hears which runs have changed and reads them, all in one statement, for every reader of this event loop."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()
        self._changed: dict[int, int] = {}
        self._known: dict[int, int] = {}
        self._bell = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None

    @contextmanager
    def feed(self, reader: Reader) -> Iterator[None]:
        """Give it what changes for as long as the block lasts."""
        self._readers.add(reader)
        if self._pumping is None or self._pumping.done():
            self._pumping = asyncio.create_task(self._pump())
        try:
            yield
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._pumping.cancel()
                self._pumping = None

    def hear(self, notice: Notice) -> None:
        """A run has changed."""
        if notice.number > self._known.get(notice.key, -1) and self._is_wanted(notice.group):
            self._changed[notice.key] = notice.number
            self._bell.set()

    def look(self) -> list[Notice]:
        """Runs that are at work, or ended lately."""
        since = timezone.now() - _LATELY
        watched = {reader.whose for reader in [*self._readers]}
        return [found for whose in watched for found in notices_of(whose.at_work(since))]

    def _is_wanted(self, owner: int) -> bool:
        return any(reader.whose.everybody or (reader.whose.owner_id or 0) == owner for reader in self._readers)

    async def _pump(self) -> None:
        with hub().listen(self):
            while True:
                await self._bell.wait()
                await asyncio.sleep(GATHER_S)
                self._bell.clear()
                changed, self._changed = self._changed, {}
                try:
                    await self._give(changed)
                except DatabaseError:
                    self._changed = {**changed, **self._changed}
                    self._bell.set()
                    await asyncio.sleep(1)

    async def _give(self, changed: Mapping[int, int]) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        for summary in await off_the_loop(lambda: summarize(Run.objects.filter(pk__in=changed))):
            self._known[summary.run.pk] = summary.run.revision
            for reader in self._readers:
                if reader.whose.has(summary.run):
                    reader.give(summary)


def summarize(runs: QuerySet[Run]) -> list[Summary]:
    """They in a few words each, as the database has them now."""
    found = list(runs.defer("source", "prompts", "inputs", "options").annotate(parent_run_id=F("parent__run_id")))
    rows = RunSummary(found, many=True).data
    return [Summary(run=run, data=_encoder.encode(row)) for run, row in zip(found, rows, strict=True)]


_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Pump]" = WeakKeyDictionary()


def pump() -> Pump:
    """That of the running event loop."""
    return _by_loop.setdefault(asyncio.get_running_loop(), Pump())
