"""Hold thousands of conversations at once on one event loop: what the drain polls with."""

from types import TracebackType
from typing import TypeVar

import aiohttp

from providers.contract import Call, Reply, Talk
from providers.errors import ProviderError
from providers.kept import KEPT
from providers.verdict import lost
from providers.wire import encode

T = TypeVar("T")

_CHUNK = 65_536
_FAILURES = (aiohttp.ClientError, OSError, ValueError)  # a time-out is an OSError; a bad address a ValueError


class AsyncTransport:
    """One pool of connections, to be kept between cycles and used on the loop that first used it."""

    def __init__(self, *, connections: int = 500) -> None:
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._timeouts: dict[float, aiohttp.ClientTimeout] = {}

    async def __aenter__(self) -> "AsyncTransport":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go; the next conversation opens new ones."""
        if self._session is not None:
            await self._session.close()
            self._session = None

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
        if call.cache_s:
            found = KEPT.find(call)
            return found if found is not None else KEPT.keep(call, await self._pooled(call, timeout_s))
        return await (self._once(call, timeout_s) if call.paid else self._pooled(call, timeout_s))

    async def _pooled(self, call: Call, timeout_s: float) -> Reply:
        if self._session is None:
            self._session = _session(aiohttp.TCPConnector(limit=self._connections, ttl_dns_cache=60))
        try:
            return await self._exchange(self._session, call, timeout_s)
        except _FAILURES:
            raise lost(call, opened=True) from None

    async def _once(self, call: Call, timeout_s: float) -> Reply:
        watch = _Watch()
        try:
            async with _session(aiohttp.TCPConnector(force_close=True), watch.trace) as session:
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
    parts, size = [], 0
    async for chunk in response.content.iter_chunked(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            raise aiohttp.ClientPayloadError("The answer is too long.")
    return b"".join(parts)


def _session(connector: aiohttp.TCPConnector, *traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=list(traces)
    )
