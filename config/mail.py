"""The server that takes our mail, by one address."""

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from config.env import Environment

_BACKENDS = {"smtp": "smtp", "smtps": "smtp", "console": "console", "dummy": "dummy"}
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """As Django wants it told. `is_on`: may mail be asked for at all?"""

    backend: str = "django.core.mail.backends.dummy.EmailBackend"
    is_on: bool = False
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    use_tls: bool = False
    use_ssl: bool = False
    sender: str = ""


def read(env: Environment, *, debug: bool) -> Mail:
    """What the environment says. What is wrong is a problem of `env`."""
    url = env.secret(
        "EMAIL_URL",
        about="The server that takes our mail: `smtp://user:password@host:587` (STARTTLS; `?tls=off` without), "
        "`smtps://…:465`, `console://` or `dummy://`.",
        shown="console in DEBUG; else there is no mail",
    )
    sender = env.text("ZAP_MAIL_FROM", about="Whom our mail is from, like `Zaps <zaps@example.com>`.", shown="none")
    if not url:
        return _plain("console", sender) if debug else Mail(sender=sender)
    try:
        mail = parse(url, sender)
    except ValueError:
        env.refuse("EMAIL_URL must be like smtp://user:password@host:587, smtps://…, console:// or dummy://.")
        return Mail(sender=sender)
    if mail.host and "@" not in sender:
        env.refuse("ZAP_MAIL_FROM is not set: EMAIL_URL needs whom our mail is from.")
    return mail


def parse(url: str, sender: str = "") -> Mail:
    """Raises ValueError for what is no address of a mail server."""
    parts = urlsplit(url)
    backend = _BACKENDS.get(parts.scheme)
    if backend is None:
        raise ValueError("This scheme is not known.")
    if backend != "smtp":
        return _plain(backend, sender)
    tls = parse_qs(parts.query, strict_parsing=bool(parts.query))
    if not parts.hostname or parts.path.strip("/") or tls not in ({}, {"tls": ["off"]}, {"tls": ["on"]}):
        raise ValueError("This is no mail server.")
    return Mail(
        backend=f"django.core.mail.backends.{backend}.EmailBackend",
        is_on=True,
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp" and tls != {"tls": ["off"]},
        use_ssl=parts.scheme == "smtps",
        sender=sender,
    )


def _plain(backend: str, sender: str) -> Mail:
    return Mail(
        backend=f"django.core.mail.backends.{backend}.EmailBackend",
        is_on=True,
        sender=sender or "Zaps <zaps@localhost>",
    )
