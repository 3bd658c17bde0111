"""Who does the work while we wait: whoever is at it already, or else workers of our own."""

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TextIO

from django.conf import settings

from config import local
from embedded import presence, stack

_LOG_AT_MOST = 2_000_000  # bytes
_THREADS = 4


class Helpers(Protocol):
    """Whoever does the work."""

    def look_after(self) -> None:
        """To be called every second or so."""
        ...


class Elsewhere:
    """Somebody else's."""

    def look_after(self) -> None:
        """Theirs to look after."""


class Ours:
    """Children of this process. Those that die are started again; roles that somebody else fills are left to them."""

    def look_after(self) -> None:
        """The workers' stack watches them by itself; the embedded servers' keeper is watched here."""
        local.keep_hold()


@contextmanager
def helpers() -> Iterator[Helpers]:
    """Workers for the length of a block, unless there are some already."""
    if _answers_elsewhere():
        yield Elsewhere()
        return
    with (
        _open_log() as log,
        stack.Stack(data=settings.ZAPS_DATA_DIR, say=_scribe(log), env=_environment(), share=True) as tree,
    ):
        tree.start(stack.worker(_THREADS), stack.drain(), stack.beat())
        yield Ours()


def are_at_work() -> bool:
    """Whether anybody else may take up what a run needs: workers here, or elsewhere at the same database."""
    data = Path(settings.ZAPS_DATA_DIR)
    return _answers_elsewhere() or any(presence.is_present(data, name) for name in ("engine", "drain"))


def _answers_elsewhere() -> bool:
    """Whether workers of this database's installation are up, perhaps on other machines. Embedded servers have none."""
    if not os.environ.get("DATABASE_URL"):
        return False
    app = importlib.import_module("config.celery").app
    try:
        return bool(app.control.ping(timeout=1.0, limit=1))
    except Exception:  # the broker is down: our own workers and drain do the work without it
        return False


def _environment() -> dict[str, str]:
    level = os.environ.get("ZAP_LOG_LEVEL", "")
    return {"ZAP_LOG_LEVEL": level if level not in {"", "WARNING"} else "INFO"}


def _open_log() -> TextIO:
    """Where our workers' words go; a terminal that shows a table is no place for them."""
    path = Path(settings.ZAPS_DATA_DIR) / "logs" / "cli-workers.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LOG_AT_MOST:
        path.unlink()
    return path.open("a", encoding="utf-8", buffering=1)


def _scribe(log: TextIO) -> stack.Say:
    def say(name: str, line: str) -> None:
        log.write(f"{name:<6} | {line}\n")

    return say
