"""One line an event: moment, level, logger, then the message, which our code writes as key=value.

Others log too, addresses among it: the web server those that it served, Django those that it refused, HTTP clients
those that they called. What opens a door is left out wherever it stands: API keys, read tokens, `?token=`, and the end
of an address that a provider, or whoever pulls a trigger, calls us at.
"""

import json
import logging
import re
from datetime import UTC, datetime

#: Libraries that write whole addresses, signed ones too, or what is sent; from which level on they may speak.
_OTHERS = {"urllib3": "ERROR"} | dict.fromkeys(
    ("aiohttp", "asyncio", "boto3", "botocore", "django.db.backends", "httpx", "s3transfer"), "INFO"
)
_SECRETS = re.compile(
    r"(webhook(?:/|%2F))[0-9a-f]{32}|((?:[?&]|%3F|%26)token(?:=|%3D))[^&\s\"'<>]+|((?:zap_\w{8}|(?:share|trigger)_\w{16})_)[0-9a-z]{40}",
    re.IGNORECASE,
)


def levels_of_others(least: str) -> dict[str, dict[str, str]]:
    """How loud libraries may be where everybody else logs from `least` on."""
    known = logging.getLevelNamesMapping()
    return {name: {"level": max(least, level, key=known.__getitem__)} for name, level in _OTHERS.items()}


class OneLine(logging.Formatter):
    """A record on one line; a traceback follows as trace="…" with its line breaks escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{at} level={record.levelname.lower()} logger={record.name} {message}"
        if record.exc_info:
            line += f" trace={json.dumps(self.formatException(record.exc_info), ensure_ascii=False)}"
        return hide(line)


class Hiding(logging.Filter):
    """For a logger that has handlers of its own, as uvicorn's of requests: its records without what opens doors."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through."""
        if isinstance(record.args, tuple):
            record.args = tuple(hide(one) if isinstance(one, str) else one for one in record.args)
        return True


def hide(text: str) -> str:
    """The text without what opens doors."""
    return _SECRETS.sub(lambda found: f"{found[1] or found[2] or found[3]}…", text)
