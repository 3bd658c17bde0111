"""Hold thousands of conversations at once on one event loop: what the drain polls with.

Where a call may lead is for `providers.guard` to say, before anything is connected.
"""

import socket
from types import TracebackType
from typing import Any, TypeVar

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from providers import guard
from providers.bounded import Body
from providers.contract import Call, Reply, Talk
from providers.errors import ProviderError
from providers.kept import KEPT
from providers.verdict import lost
from providers.wire import encode, is_bare

T = TypeVar("T")

_CHUNK = 65_536
_FAILURES = (aiohttp.ClientError, OSError, ValueError)  # a time-out is an OSError; too long an answer a ValueError


class AsyncTransport:
    """One pool of connections, to be kept between cycles and used on the loop that first used it."""

    def __init__(self, *, connections: int = 500) -> None:
        self._connections = connections
        self._sessions: dict[bool, aiohttp.ClientSession] = {}  # by whether the operator named the address
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}

    async def __aenter__(self) -> "AsyncTransport":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go; the next conversation opens new ones."""
        while self._sessions:
            await self._sessions.popitem()[1].close()

    async def hold(self, talk: Talk[T], *, timeout_s: float = 10) -> T:
        """What the conversation comes to. `timeout_s`: for a call that names none. Errors are those of `http.hold`."""
        try:
            call = next(talk)
            while True:
                try:
                    reply = await self._answer(call, timeout_s)
                except ProviderError as exc:
                    call = talk.throw(exc)
                else:
                    call = talk.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            talk.close()

    async def _answer(self, call: Call, timeout_s: float) -> Reply:
        is_named = guard.admit(call.url, call.home, headers=call.headers, is_get=is_bare(call))
        if call.cache_s:
            found = KEPT.find(call)
            return found if found is not None else KEPT.keep(call, await self._pooled(call, timeout_s, is_named))
        return await (self._once if call.paid else self._pooled)(call, timeout_s, is_named)

    async def _pooled(self, call: Call, timeout_s: float, is_named: bool) -> Reply:
        session = self._sessions.get(is_named)
        if session is None:
            connector = _connector(is_named, limit=self._connections, ttl_dns_cache=60)
            session = self._sessions[is_named] = _session(connector)
        try:
            return await self._exchange(session, call, timeout_s)
        except _FAILURES:
            raise lost(call, opened=True) from None

    async def _once(self, call: Call, timeout_s: float, is_named: bool) -> Reply:
        watch = _Watch()
        try:
            async with _session(_connector(is_named, force_close=True), watch.trace) as session:
                return await self._exchange(session, call, timeout_s)
        except _FAILURES:
            raise lost(call, opened=watch.opened) from None

    async def _exchange(self, session: aiohttp.ClientSession, call: Call, timeout_s: float) -> Reply:
        body, headers = encode(call)
        timeout_s = call.timeout_s or timeout_s
        timeout = self._timeouts.get(timeout_s)
        if timeout is None:
            timeout = self._timeouts[timeout_s] = aiohttp.ClientTimeout(total=timeout_s, sock_connect=5)
        async with session.request(
            call.method, call.url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        ) as response:
            content = await _bounded(response, call.most_bytes)
            return Reply(status=response.status, headers=response.headers, body=content)


class _Watch:
    """Knows whether a connection (TLS included) was ever opened: until then nothing can have been sent."""

    def __init__(self) -> None:
        self.opened = False
        self.trace = aiohttp.TraceConfig()
        self.trace.on_connection_create_end.append(self._note)

    async def _note(self, *_: object) -> None:
        self.opened = True


async def _bounded(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    length = response.content_length
    if length is not None and length <= most_bytes and "Content-Encoding" not in response.headers:
        return await response.read()
    body = Body(encoding=response.headers.get("Content-Encoding", ""), most_bytes=most_bytes)
    async for chunk in response.content.iter_chunked(_CHUNK):
        body.take(chunk)
    return body.whole()


class _PublicOnly(AbstractResolver):
    """Resolves a name; what it finds is what the connector connects to."""

    def __init__(self) -> None:
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises AddressRefused where one of the name's addresses is not public."""
        found = await self._resolver.resolve(host, port, family)
        for one in found:
            guard.require_public(one["host"])
        return found

    async def close(self) -> None:
        """Nothing is held."""


def _connector(is_named: bool, **options: Any) -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(resolver=None if is_named else _PublicOnly(), **options)


def _session(connector: aiohttp.TCPConnector, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        trace_configs=list(traces),
        auto_decompress=False,
    )
