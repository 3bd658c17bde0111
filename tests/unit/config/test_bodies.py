import asyncio

import pytest

from config.bodies import BodyCap


async def greedy(scope, receive, send):
    """Reads a body to its end, as Django does."""
    taken = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError(taken)
        taken += len(message["body"])
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(taken).encode()})


def ask(*pieces, path="/api/zaps/run", length=None, kind="http", app=greedy):
    """The status, or the number of bytes that had been read when the connection was ended."""
    headers = [] if length is None else [(b"content-length", str(length).encode())]
    scope = {"type": kind, "path": path, "headers": headers}
    left, said = list(pieces), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        said.append(message)

    try:
        asyncio.run(BodyCap(app, upload_bytes=2_000_000, most_bytes=1_500_000)(scope, receive, send))
    except ConnectionError as exc:
        return exc.args[0]
    return said[0]["status"]


@pytest.mark.parametrize(
    ("size", "path", "status"),
    [
        (1_500_000, "/api/zaps/run", 200),
        (1_500_001, "/api/zaps/run", 413),
        (10**18, "/api/zaps/run", 413),
        (3_000_000, "/api/uploads", 200),
        (3_000_001, "/api/uploads", 413),
        (1_500_001, "/api/uploads/sign", 413),
        (1_500_001, "/api/uploads/", 413),
        ("many", "/api/zaps/run", 200),
        (1_000_000, "/api/providers/fal/webhook/f00d", 200),
        (1_000_001, "/api/providers/fal/webhook/f00d", 413),
        (1_000_001, "/api/providers//webhook/", 413),
        (1_500_000, "/api/providers/poll/drain", 200),
    ],
)
def test_a_body_is_refused_by_the_length_that_it_promises(size, path, status):
    assert ask(b"x", path=path, length=size) == status


def test_a_body_that_is_longer_than_promised_is_cut_off_before_it_is_kept():
    assert ask(*[b"x" * 400_000] * 9, length=5) == 1_200_000
    assert ask(*[b"x" * 400_000] * 9) == 1_200_000
    assert ask(*[b"x" * 400_000] * 9, path="/api/providers/fal/webhook/f00d") == 800_000
    assert ask(*[b"x" * 250_000] * 4) == 200


def test_what_is_no_request_passes():
    async def app(scope, receive, send):
        await send({"status": scope["type"]})

    assert ask(kind="lifespan", app=app) == "lifespan"
