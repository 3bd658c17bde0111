"""How often callers may ask, and which pages of other origins may ask at all."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from config.env import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What an operator sets. A rate of 0 is no limit."""

    calls_per_minute: int
    open_calls_per_minute: int
    logins_per_minute: int
    streams_per_caller: int
    cors_origins: list[str]


#: headers that such a page may send
SENT = (
    "accept", "authorization", "content-type", "idempotency-key", "if-none-match", "if-range", "last-event-id", "range",
    "x-csrftoken", "x-zap-session",
)  # fmt: skip
#: headers that it may read
SHOWN = ("content-range", "etag", "idempotency-replayed", "location", "retry-after")


def read(env: Environment) -> Doors:
    """What the environment says. An origin that is none is a problem of `env`."""
    origins = env.words(
        "ZAP_CORS_ORIGINS",
        about="Origins whose pages may use the interface from a browser, like `https://app.example.com`.",
        shown="none",
    )
    for origin in origins:
        if not is_origin(origin):
            env.refuse(f"ZAP_CORS_ORIGINS names {origin!r}; an origin is like https://app.example.com.")
    return Doors(
        calls_per_minute=env.number(
            "ZAP_CALLS_PER_MINUTE",
            1200,
            about="How often an account may call the interface, all its keys together; staff always may. 0: no limit.",
        ),
        open_calls_per_minute=env.number(
            "ZAP_OPEN_CALLS_PER_MINUTE",
            300,
            about="How often callers without a login may, from one address. 0: no limit.",
        ),
        logins_per_minute=env.number(
            "ZAP_LOGINS_PER_MINUTE",
            10,
            about="How often an address may try a password; for one name, all together five times that. 0: no limit.",
        ),
        streams_per_caller=env.number(
            "ZAP_STREAMS_PER_CALLER",
            100,
            about="How many streams an account, or an address that nobody is known at, may have open on one web "
            "process. 0: no limit.",
        ),
        cors_origins=origins,
    )


def is_origin(text: str) -> bool:
    """Whether it is scheme, host and port, and no more."""
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and text == f"{parts.scheme}://{parts.netloc}"
