"""Thousands of polls on one event loop.

The loop, its HTTP session and its database thread live as long as the process. The loop itself never touches the
database: every statement runs on the one thread that owns the connection, in batches.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias, TypeVar, cast

import uvloop
from django.db import DatabaseError, close_old_connections, connection

from providers.contract import Snapshot
from providers.errors import ProviderError, Unavailable
from providers.http_async import AsyncTransport
from runs import dispatch, limits, policy
from runs.engine.cron_logs import CycleReport
from runs.engine.doors import Door, door_for_polls, door_key
from runs.engine.poll import is_ready, job_of, look_at, not_now, note_slowdown
from runs.transitions import batches
from runs.transitions.batches import Leased, Look

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLAIM = 500  # rows a claim
CLAIM_EVERY_S = 0.1  # a job is looked at this much late at most, and many share a statement
FLUSH_ROWS = 200
FLUSH_EVERY_S = 0.05
IDLE_S = 0.5  # longest sleep while nothing is due: a bell in the database is heard within this
MARGIN_S = 0.2  # stop claiming this long before the window ends


class Poller:
    """One loop on a thread of its own, started by its first cycle."""

    def __init__(self) -> None:
        self.stopping = threading.Event()  #: set, it ends the cycles that are at work
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._transport: AsyncTransport | None = None
        self._database = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zaps-drain-db")

    def drain_until(self, ends: float, report: CycleReport) -> "Future[None]":
        """Poll what is due until `time.monotonic()` reaches `ends`. The future ends with the cycle."""
        return asyncio.run_coroutine_threadsafe(self._cycle(ends, report), self._started())

    def stop(self) -> None:
        """Close the connections and end the loop; the next cycle starts a new one."""
        with self._lock:
            if self._loop is None:
                return
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=policy.POLL_TIMEOUT_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None

    async def _close(self) -> None:
        if self._transport is not None:
            await self._transport.close()
            self._transport = None
        await self._in_database(_disconnect)

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = uvloop.new_event_loop()
                threading.Thread(target=_serve, args=[self._loop], name="zaps-drain-loop", daemon=True).start()
            return self._loop

    async def _cycle(self, ends: float, report: CycleReport) -> None:
        self._transport = self._transport or AsyncTransport()
        await self._in_database(close_old_connections)
        flow = _Flow(self._transport, self._in_database, report)
        flusher = asyncio.create_task(flow.flush_until_ended())
        try:
            while True:  # once at least: a window of no length is one pass
                leased = await self._in_database(batches.claim_polls, CLAIM) if flow.has_room else []
                await flow.begin(leased)
                left = ends - MARGIN_S - time.monotonic()
                if left <= 0 or self.stopping.is_set():
                    break
                if len(leased) < CLAIM:
                    await self._rest(left, idle=not leased and flow.has_room)
        finally:
            await flow.finish()
            await flusher

    async def _rest(self, left: float, *, idle: bool) -> None:
        """Gather the next batch for a moment; with nothing due, until the next job is."""
        wait = CLAIM_EVERY_S
        if idle:
            next_s = await self._in_database(batches.seconds_to_next_poll)
            wait = IDLE_S if next_s is None else min(max(next_s, CLAIM_EVERY_S), IDLE_S)
        await asyncio.sleep(min(wait, left))

    async def _in_database(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._database, function, *arguments)


class _Flow:
    """The polls of one cycle: out at their providers, back, and written in batches."""

    def __init__(
        self, transport: AsyncTransport, in_database: Callable[..., Awaitable[object]], report: CycleReport
    ) -> None:
        self._transport = transport
        self._in_database = in_database
        self._report = report
        self._out: set[asyncio.Task[None]] = set()
        self._looks: list[Look] = []
        self._over: list[Leased] = []
        self._writing = asyncio.Lock()
        self._ended = False
        self._doors: dict[tuple[object, ...], Door | ProviderError] = {}

    @property
    def has_room(self) -> bool:
        """May more be claimed?"""
        return len(self._out) < 2 * CLAIM

    async def begin(self, leased: Sequence[Leased]) -> None:
        """Poll them, as far as their accounts may be asked; the others are put off."""
        if not leased:
            return
        ways = cast("Ways", await self._in_database(_ways, leased, self._doors))
        self._looks += ways[1]
        for row in ways[0]:
            task = asyncio.ensure_future(self._poll(row))
            self._out.add(task)
            task.add_done_callback(self._out.discard)

    async def finish(self) -> None:
        """Wait for what is out; each poll ends by its own time-out. The flusher then writes the rest and ends."""
        if self._out:
            await asyncio.wait(self._out)
        self._ended = True

    async def flush_until_ended(self) -> None:
        """Never canceled, since what it is writing would be lost until its leases end."""
        while not self._ended:
            await asyncio.sleep(FLUSH_EVERY_S)
            await self.flush()
        await self.flush()

    async def flush(self) -> None:
        async with self._writing:
            looks, self._looks = self._looks, []
            over, self._over = self._over, []
            try:
                if looks:
                    await self._in_database(batches.write_looks, looks)
                if over:
                    await self._in_database(_settle, over)
            except Exception as exc:  # their leases end by themselves and the rows are polled again
                logger.exception("drain=flush-failed rows=%s", len(looks) + len(over))
                self._report.note_error(f"{type(exc).__name__}: {len(looks) + len(over)} polls were not written.")

    async def _poll(self, leased: Leased) -> None:
        snapshot, error = await self._ask(leased)
        if is_ready(leased, snapshot):
            self._over.append(leased)
        else:
            self._looks.append(look_at(leased, snapshot, error))
        self._count(leased, snapshot, error)
        if len(self._looks) >= FLUSH_ROWS and not self._writing.locked():
            await self.flush()

    async def _ask(self, leased: Leased) -> tuple[Snapshot | None, ProviderError | None]:
        try:
            door = self._doors[door_key(leased)]
            if isinstance(door, ProviderError):
                return None, door
            talk = door.provider.poll(job_of(leased), key=door.key)
            return await self._transport.hold(talk, timeout_s=policy.POLL_TIMEOUT_S), None
        except ProviderError as exc:
            if exc.reason == "RATE_LIMITED":
                await self._in_database(note_slowdown, leased, exc)
            return None, exc
        except Exception as exc:  # an adapter that breaks on one answer must not stop the drain
            logger.exception("attempt=%s poll=broken", leased.attempt_id)
            return None, ProviderError(f"{type(exc).__name__} while reading the provider's answer.")

    def _count(self, leased: Leased, snapshot: Snapshot | None, error: ProviderError | None) -> None:
        if error is not None:
            self._report.note_error(f"{error.reason}: {leased.provider} would not say how a job stands.")
            return
        state = snapshot.state if snapshot else None
        self._report.note(kind="poll", provider=leased.provider, requestId=leased.request_id, status=state)


Ways: TypeAlias = tuple[list[Leased], list[Look]]


def _ways(leased: Sequence[Leased], doors: dict[tuple[object, ...], Door | ProviderError]) -> Ways:
    """Open the door of each job that has none yet in this cycle, and let through what its account may be asked."""
    for row in leased:
        if door_key(row) not in doors:
            try:
                doors[door_key(row)] = door_for_polls(row)
            except ProviderError as exc:
                doors[door_key(row)] = exc
            except DatabaseError:
                raise
            except Exception:  # its package is broken, or installed no more: the others' jobs go on
                logger.exception("provider=%s poll=no-way", row.provider)
                doors[door_key(row)] = Unavailable("This provider is not at hand here.")
    asked: list[Leased] = []
    held: list[Look] = []
    of_account: dict[tuple[str, str], list[Leased]] = {}
    for row in leased:
        of_account.setdefault((row.account, row.provider), []).append(row)
    for (account, provider), rows in of_account.items():
        granted, wait_s = limits.take(account, provider, len(rows))
        asked += rows[:granted]
        held += [not_now(row, wait_s) for row in rows[granted:]]
    return asked, held


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


def _disconnect() -> None:
    connection.close()


def _settle(over: Sequence[Leased]) -> None:
    for bell in batches.begin_settling(over):
        dispatch.ring_settle(bell.attempt_id, bell.idem_key)


POLLER = Poller()
