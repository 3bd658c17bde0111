"""Files that standing orders name in their inputs: they stay for as long as one of them does."""

from collections.abc import Iterable, Sequence

from automations.models import Firing, Schedule, Trigger
from runs.deletion import files


def used(storage_keys: Sequence[str]) -> set[str]:
    """Those of them that an order names, or a row of a batch."""
    asked = list(storage_keys)
    found: set[str] = set()
    for kind in (Schedule, Trigger, Firing):
        for media in kind._default_manager.filter(media__overlap=asked).values_list("media", flat=True).distinct():
            found.update(media)
    return found.intersection(asked)


def release(named: Iterable[Sequence[str]], *, of: str) -> None:
    """What these rows named, which they have stopped to do in this transaction."""
    files.give_back(sorted({key for keys in named for key in keys}), of=of)
