"""Server-sent events: how one is written, and where a reconnecting browser stood."""

from collections.abc import AsyncIterator

from django.http import HttpRequest, StreamingHttpResponse

KEEP_ALIVE = b": still here\n\n"
KEEP_ALIVE_S = 15.0
RETRY_MS = 2000  # how long a browser waits before it comes back


def format_event(*, name: str, data: str, event_id: int) -> bytes:
    """One event. `data` may have several lines; each needs its own field."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"id: {event_id}\nevent: {name}\n{lines}\n".encode()


def format_retry() -> bytes:
    """The first line of every stream."""
    return f"retry: {RETRY_MS}\n\n".encode()


def last_event_id(request: HttpRequest) -> int | None:
    """The newest event that the caller has; None when it has none, or shows one that is not ours."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def stream(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """An answer that stays open. Proxies are told not to collect it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events, content_type="text/event-stream; charset=utf-8", headers=headers)
