"""How long a stream waits for a reader who does not take what they are sent: not long, and little is kept for them."""

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Any

from config.bodies import App, Receive, Scope, Send

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
_KEPT_BYTES = 64 * 1024  # by the system, for one reader; it would take megabytes, of each of a thousand


class Patience:
    """Hangs up on the readers of event streams who take nothing for PATIENCE_S. They may come back."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_stream = False

        async def impatient(message: Mapping[str, Any]) -> None:
            nonlocal is_stream
            if message["type"] == "http.response.start" and _is_stream(message):
                is_stream = True
                _keep_little(_transport(send))
            if not is_stream:
                await send(message)
                return
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await send(message)
            except TimeoutError:
                logger.info("stream=dropped")
                _hang_up(_transport(send))

        await self._app(scope, receive, impatient)


def _is_stream(message: Mapping[str, Any]) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"text/event-stream")
        for name, value in message.get("headers", ())
    )


def _transport(send: Send) -> Any:
    """ASGI has no word for hanging up; uvicorn's `send` knows its connection. None with another server."""
    return getattr(getattr(send, "__self__", None), "transport", None)


def _keep_little(transport: Any) -> None:
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KEPT_BYTES)


def _hang_up(transport: Any) -> None:
    """At once: to close would be to wait until the rest is sent. Raises ConnectionAbortedError where we cannot."""
    if transport is None:
        raise ConnectionAbortedError
    transport.abort()
