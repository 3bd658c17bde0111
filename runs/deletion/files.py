"""The files of deleted runs. They are doomed in the transaction that deletes the run, and deleted after its commit.

A file is deleted only once no row uses it: a result that another run took over lies where it was made, and the same
input of two runs is one file. A message that is lost, a worker that dies and a storage that is away cost a while; the
row that dooms the file stays until the file is gone.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from core.again import again
from runs import uploads
from runs.models import Asset, DoomedFile, Run, RunInput
from runs.neighbours import neighbours
from runs.storage import LARGE, SMALL, thumbnail_key

logger = logging.getLogger(__name__)

GRACE = timedelta(minutes=15)  # a request may have stored the same bytes, and not yet begun its run
_AT_ONCE = 100
_PAUSE_S, _LONGEST_S = 30, 6 * 3600
_FOLDER = "/"

_DOOM_ASSETS = """
    INSERT INTO doomed_files (storage_key, sha256, run_id)
    SELECT DISTINCT ON (storage_key) storage_key, sha256, %s::text FROM assets WHERE run_id = %s AND storage_key <> ''
    UNION ALL SELECT %s::text, '', %s::text
    ON CONFLICT (storage_key) DO UPDATE SET due_at = now(), tries = 0"""


def doom_assets(run: Run) -> None:
    """Everything that the run has stored; what lies in its folder and is no asset, too."""
    with connection.cursor() as cursor:
        cursor.execute(_DOOM_ASSETS, [run.run_id, run.pk, f"runs/{run.run_id}{_FOLDER}", run.run_id])


def give_back(storage_keys: Sequence[str], *, of: str) -> None:
    """In this transaction somebody stopped to name these inputs: those that nobody else names go.

    Nobody who comes now can use such an upload. `of` says who it was: a run, an order, user:7.
    """
    if not storage_keys:
        return
    held = uploads.hold(storage_keys)
    elsewhere = _named(storage_keys)
    free = [key for key in storage_keys if key not in elsewhere]
    uploads.discard([key for key in free if key in held])
    doom(free, of=of)


def doom(storage_keys: Sequence[str], *, of: str) -> None:
    """Inputs that no run uses now. What is stored by content waits, since somebody may be about to use it."""
    rows = [
        DoomedFile(
            storage_key=key,
            sha256=key.rpartition("/")[2],
            run_id=of,
            due_at=Now() if key.startswith("uploads/") else Now() + GRACE,
        )
        for key in storage_keys
    ]
    DoomedFile.objects.bulk_create(rows, update_conflicts=True, unique_fields=["storage_key"], update_fields=["due_at"])


def delete_due() -> tuple[int, int]:
    """Delete what is due, a hundred at a time. Returns how many rows are done, and how many failed and come again."""
    done = failed = 0
    while True:
        gone, stuck = _delete_some()
        done, failed = done + gone, failed + stuck
        if gone + stuck < _AT_ONCE:
            return done, failed


@again
@transaction.atomic
def _delete_some() -> tuple[int, int]:
    """The rows stay locked while their files are deleted: whoever stores the same bytes waits, and stores them anew."""
    due = DoomedFile.objects.select_for_update(skip_locked=True).filter(due_at__lte=Now()).order_by("due_at")
    doomed = list(due[:_AT_ONCE])
    used = _used(doomed)
    gone, stuck = [], []
    for one in doomed:
        try:
            if one.storage_key not in used:
                _delete(one)
        except Exception as exc:  # every storage has its own errors, and one file must not stop the others
            logger.warning("file=%s delete=failed error=%s", one.pk, type(exc).__name__)
            stuck.append(one)
        else:
            gone.append(one)
    for one in stuck:
        pause_s = min(_PAUSE_S * 2 ** min(one.tries, 16), _LONGEST_S)
        DoomedFile.objects.filter(pk=one.pk).update(tries=F("tries") + 1, due_at=Now() + timedelta(seconds=pause_s))
    uploads.forget(one.storage_key for one in gone if one.storage_key not in used)
    DoomedFile.objects.filter(pk__in=[one.pk for one in gone]).delete()
    return len(gone), len(stuck)


def _used(doomed: Sequence[DoomedFile]) -> set[str]:
    """Of these files those that a row still names."""
    keys = [one.storage_key for one in doomed]
    assets = Asset.objects.filter(sha256__in={one.sha256 for one in doomed if one.sha256}, storage_key__in=keys)
    return {*assets.values_list("storage_key", flat=True), *_named(keys)}


def _named(storage_keys: Sequence[str]) -> set[str]:
    """Of these inputs those that a run names, or whoever starts runs by itself."""
    of_runs = RunInput.objects.filter(storage_key__in=storage_keys).values_list("storage_key", flat=True)
    return set(of_runs).union(*(neighbour.uses(storage_keys) for neighbour in neighbours()))


def _delete(one: DoomedFile) -> None:
    if one.storage_key.endswith(_FOLDER):
        _delete_folder(one.storage_key.rstrip(_FOLDER))
        return
    default_storage.delete(one.storage_key)
    if not Asset.objects.filter(sha256=one.sha256).exists():
        with suppress(Exception):  # a cache that is away forgets by itself
            cache.delete_many([thumbnail_key(one.sha256, longest) for longest in (SMALL, LARGE)])


def _delete_folder(folder: str) -> None:
    """What lies in it and is no asset of any run; then the folders that are empty."""
    names = list(_files_below(folder))
    kept = set(Asset.objects.filter(sha256__in={_sha256(name) for name in names}).values_list("storage_key", flat=True))
    for name in names:
        if name not in kept:
            default_storage.delete(name)


def _files_below(folder: str) -> Iterator[str]:
    try:
        folders, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        yield f"{folder}/{name}"
    for name in folders:
        yield from _files_below(f"{folder}/{name}")


def _sha256(name: str) -> str:
    """The digest in a file's name, as outputs are named: index-digest.ending."""
    return name.rpartition("/")[2].partition("-")[2].partition(".")[0]
