"""Plug-ins by file: each module of a package offers one object, and entry points may add more."""

import importlib
import logging
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

logger = logging.getLogger(__name__)


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class UnknownName(LookupError):
    """Nothing is registered under that name."""


class Unfit(Exception):
    """A plug-in is not what its group asks for. The text says why, in a sentence of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An installed plug-in that is not used: whose it is (`zaps-lumen 1.0`), what it is called there, and why not."""

    package: str
    name: str
    why: str


class Registry(Generic[T]):
    """The objects called `attribute` in the modules of `package`, and in its entry point group.

    A third party adds one by an entry point whose group is the package's dotted name. `judge` raises Unfit for what
    must not be taken in. Whatever is wrong with somebody else's plug-in costs that plug-in alone.
    """

    def __init__(self, package: str, attribute: str, *, judge: Callable[[Any], None] = lambda entry: None) -> None:
        self.package = package
        self.attribute = attribute
        self._judge = judge

    @cached_property
    def entries(self) -> dict[str, T]:
        """Every entry by its name, loaded once."""
        return self._loaded[0]

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What is installed and could not be taken in."""
        return self._loaded[1]

    def get(self, name: str) -> T:
        """The entry called `name`. Raises UnknownName, listing the names there are."""
        try:
            return self.entries[name]
        except KeyError:
            known = ", ".join(sorted(self.entries))
            raise UnknownName(f"Nothing is called {name!r}; there are: {known}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self.entries

    def __iter__(self) -> Iterator[T]:
        return iter(self.entries.values())

    @cached_property
    def _loaded(self) -> tuple[dict[str, T], tuple[LeftOut, ...]]:
        entries = {entry.name: entry for entry in self._own()}

        def admit(_: str, entry: Any) -> None:
            self._judge(entry)
            if entry.name in entries:
                raise Unfit(f"Something else is called {entry.name!r} already.")
            entries[entry.name] = entry

        return entries, load_installed(self.package, admit)

    def _own(self) -> Iterator[T]:
        path = importlib.import_module(self.package).__path__
        for module in pkgutil.iter_modules(path, f"{self.package}."):
            yield getattr(importlib.import_module(module.name), self.attribute)


def load_installed(group: str, admit: Callable[[str, Any], None]) -> tuple[LeftOut, ...]:
    """Hand `admit` each object that installed packages offer in `group`, with its name there, in the packages' order.

    What cannot be loaded, or makes `admit` raise, is left out, and logged.
    """
    left_out = []
    for point in sorted(entry_points(group=group), key=lambda one: (_package(one), one.name)):
        try:
            admit(point.name, _load(point))
        except (Exception, SystemExit) as exc:  # somebody else's code: it may do anything, and stops nobody
            found = LeftOut(package=_package(point), name=point.name, why=_why(exc))
            logger.warning(
                "plug-in=left-out group=%s package=%r name=%s why=%r", group, found.package, found.name, found.why,
                exc_info=None if isinstance(exc, Unfit) else exc,
            )  # fmt: skip
            left_out.append(found)
    return tuple(left_out)


def _load(point: EntryPoint) -> Any:
    module = importlib.import_module(point.module)
    if not hasattr(module, point.attr):
        raise Unfit(f"Its module {point.module} has no {point.attr or 'object that is named'}.")
    return getattr(module, point.attr)


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "unknown"


def _why(exc: BaseException) -> str:
    if isinstance(exc, Unfit):
        return str(exc)
    if isinstance(exc, ImportError) and exc.name:
        return f"It needs {exc.name}, which is missing or has changed."
    return f"It broke while it was loaded: {type(exc).__name__}. The log says where."
