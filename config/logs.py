"""One line an event: moment, level, logger, then the message, which our code writes as key=value.

Others log too, addresses among it: Django those that it refused, HTTP clients those that they called. The end of an
address that a provider calls us at is a secret, and is left out wherever it stands.
"""

import json
import logging
import re
from datetime import UTC, datetime

#: Libraries that write whole addresses, signed ones too, or what is sent; from which level on they may speak.
_OTHERS = {"urllib3": "ERROR"} | dict.fromkeys(
    ("aiohttp", "asyncio", "boto3", "botocore", "django.db.backends", "httpx", "s3transfer"), "INFO"
)
_CALLBACK = re.compile(r"(webhook(?:/|%2F))[0-9a-f]{32}", re.IGNORECASE)


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
        return _CALLBACK.sub(r"\1…", line)
