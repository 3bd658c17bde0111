"""What stands above this room and has a part in it: in the files that runs were given, in their deletion, in the drain.

It cannot be named here, so each registers in its AppConfig's `ready`; nobody lists them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runs.models import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """What one app does there.

    `uses(storage_keys)` gives those of the stored inputs that it still names, so that they are kept. Whoever stops to
    name one says so by `runs.deletion.give_back`.

    `forget(run)` takes away what it was told for that run, in the transaction that deletes it.

    `look()` begins what is due by itself and returns how much that was; it is called where no beat rings for it.
    """

    name: str
    uses: Callable[[Sequence[str]], set[str]]
    forget: Callable[[Run], None]
    look: Callable[[], int]


_neighbours: dict[str, Neighbour] = {}


def register(neighbour: Neighbour) -> None:
    """Join in. One that registers again takes its own place."""
    _neighbours[neighbour.name] = neighbour


def neighbours() -> list[Neighbour]:
    """All of them, by name."""
    return [_neighbours[name] for name in sorted(_neighbours)]
