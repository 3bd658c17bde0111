"""One line an event: moment, level, logger, then the message, which our code writes as key=value."""

import json
import logging
from datetime import UTC, datetime


class OneLine(logging.Formatter):
    """A record on one line; a traceback follows as trace="…" with its line breaks escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = record.getMessage().replace("\r", "\\r").replace("\n", "\\n")
        line = f"{at} level={record.levelname.lower()} logger={record.name} {message}"
        if record.exc_info:
            line += f" trace={json.dumps(self.formatException(record.exc_info), ensure_ascii=False)}"
        return line
