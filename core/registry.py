"""Plug-ins by file: each module of a package offers one object, and entry points may add more."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import entry_points
from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


class UnknownName(LookupError):
    """Nothing is registered under that name."""


class Registry(Generic[T]):
    """The objects called `attribute` in the modules of `package`, and in its entry point group.

    A third party adds one by an entry point whose group is the package's dotted name.
    """

    def __init__(self, package: str, attribute: str) -> None:
        self.package = package
        self.attribute = attribute

    @cached_property
    def entries(self) -> dict[str, T]:
        """Every entry by its name, loaded once."""
        return {entry.name: entry for entry in self._load()}

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

    def _load(self) -> Iterator[T]:
        path = importlib.import_module(self.package).__path__
        for module in pkgutil.iter_modules(path, f"{self.package}."):
            yield getattr(importlib.import_module(module.name), self.attribute)
        for entry_point in entry_points(group=self.package):
            yield entry_point.load()
