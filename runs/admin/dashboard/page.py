"""The first page of the admin: the dashboard above the list of tables."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.contrib import admin
from django.core.cache import cache
from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from runs.admin.dashboard import trouble, work
from runs.admin.dashboard.tiles import Tile
from runs.figures import within_a_second

logger = logging.getLogger(__name__)

KEPT_S = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Tiles that are read together, by whoever may view the table named in `permission`."""

    title: str
    permission: str
    read: Callable[[], list[Tile]]

    @property
    def key(self) -> str:
        """Of its tiles in the cache."""
        return f"dashboard:{self.title.replace(' ', '-').lower()}"


PARTS = [
    Part(title="Attempts", permission="runs.view_attempt", read=work.attempts),
    Part(title="Open runs", permission="runs.view_run", read=work.runs),
    Part(title="Runs that failed", permission="runs.view_run", read=work.ends),
    Part(title="Spent today", permission="runs.view_budget", read=trouble.spending),
    Part(title="Queues and workers", permission="runs.view_cronlog", read=trouble.queues),
    Part(title="Open breakers", permission="runs.view_circuit", read=trouble.breakers),
    Part(title="Dead letters", permission="runs.view_deadletter", read=trouble.dead_letters),
    Part(title="Webhooks refused", permission="runs.view_webhook", read=trouble.webhooks),
    Part(title="Drain", permission="runs.view_cronlog", read=trouble.cycles),
]


def add(part: Part) -> None:
    """Show a part of a room above this one after ours. It costs one bounded query too."""
    PARTS.append(part)


@admin.site.admin_view
def home(request: HttpRequest) -> HttpResponseBase:
    """The dashboard, as far as one may see its tables, and the tables."""
    parts = [part for part in PARTS if request.user.has_perm(part.permission)]
    return admin.site.index(request, {"tiles": read(parts), "as_of": timezone.now()})


def read(parts: list[Part]) -> list[Tile]:
    """Their tiles, at most a few seconds old. What cannot be read says so, and keeps no other from being read."""
    kept = _kept([part.key for part in parts])
    fresh: dict[str, list[Tile]] = {}
    tiles: list[Tile] = []
    for part in parts:
        found = kept.get(part.key)
        if found is None:
            found = fresh[part.key] = _read(part)
        tiles += found
    _keep({key: found for key, found in fresh.items() if not any(tile.is_unread for tile in found)})
    return tiles


def _read(part: Part) -> list[Tile]:
    try:
        with within_a_second():
            return part.read()
    except (DatabaseError, redis.RedisError, OSError) as exc:
        logger.warning("dashboard part=%r error=%s", part.title, type(exc).__name__)
        return [Tile(title=part.title, note="This cannot be read now.", is_unread=True)]


def _kept(keys: list[str]) -> dict[str, list[Tile]]:
    try:
        return dict(cache.get_many(keys))
    except Exception:  # every back end has its own errors; a page must not fail for a cache
        return {}


def _keep(fresh: dict[str, list[Tile]]) -> None:
    try:
        cache.set_many(fresh, KEPT_S)
    except Exception:
        return
