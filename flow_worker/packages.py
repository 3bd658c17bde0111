"""Finding flows: folders with a flow.toml, read into manifests that the server understands.

A package that is broken is told of and left out; it never keeps the others from being found.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MANIFEST = "flow.toml"
ROOTS = (".codex/flows", "flows")  # the first that has a name wins: what is installed goes before its source
TIMEOUT_MS = 300_000

#: flow.toml's word, and the manifest's
_STEP_WORDS = {
    "name": "name",
    "runner": "runner",
    "script": "script",
    "cwd": "cwd",
    "labels": "labels",
    "priority": "priority",
    "delay_ms": "delayMs",
    "max_attempts": "maxAttempts",
    "backoff_ms": "backoffMs",
    "retry_on_fail": "retryOnFail",
    "concurrency": "concurrency",
}


class PackageBroken(Exception):
    """A package cannot be used; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One flow on this machine. `manifest` is what is synced."""

    root: Path
    manifest: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The flow's."""
        return str(self.manifest["name"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is: packages in the order of their roots and folders, and what is wrong with the others."""

    packages: tuple[Package, ...]
    broken: tuple[str, ...]

    def get(self, name: str) -> Package | None:
        """The package of that name."""
        return next((package for package in self.packages if package.name == name), None)


def discover(roots: Iterable[Path]) -> Found:
    """Every package below these folders; a folder that is missing holds none."""
    packages: dict[str, Package] = {}
    broken = []
    for root in roots:
        for folder in sorted(root.iterdir()) if root.is_dir() else []:
            try:
                if not (folder / MANIFEST).is_file():
                    continue
                package = read_package(folder)
            except (PackageBroken, OSError) as exc:
                broken.append(f"{folder / MANIFEST}: {exc}")
            else:
                packages.setdefault(package.name, package)
    return Found(packages=tuple(packages.values()), broken=tuple(broken))


def read_package(folder: Path) -> Package:
    """The package in a folder. Raises PackageBroken."""
    try:
        data = tomllib.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, OSError, UnicodeDecodeError) as exc:
        raise PackageBroken(f"It cannot be read: {exc}.") from None
    manifest: dict[str, Any] = {
        "name": _text(data, "name"),
        "version": _version(data),
        "root": str(folder.resolve()),
        "steps": [_step(folder, one, place) for place, one in enumerate(_steps(data))],
        **{name: data[name] for name in ("description", "config") if name in data},
    }
    try:
        json.dumps(manifest, allow_nan=False)
    except (TypeError, ValueError):
        raise PackageBroken("It holds a value that JSON has no word for, such as a date.") from None
    return Package(root=folder.resolve(), manifest=manifest)


def inside(root: Path, path: str) -> Path:
    """A path of a package, with every link followed. Raises PackageBroken where it leads out of the package."""
    try:
        found = (root / path).resolve()
    except (OSError, RuntimeError, ValueError):  # links in a circle, or a name that no file can have
        raise PackageBroken(f"{path!r} cannot be followed.") from None
    if not found.is_relative_to(root.resolve()):
        raise PackageBroken(f"{path!r} leads out of the flow's folder.")
    return found


def _step(folder: Path, step: Any, place: int) -> dict[str, Any]:
    if not isinstance(step, dict):
        raise PackageBroken(f"steps[{place}] is no table.")
    for name in ("name", "runner", "script"):
        _text(step, name, f"steps[{place}].")
    inside(folder, step["script"])
    if isinstance(step.get("cwd"), str):
        inside(folder, step["cwd"])
    timeout = step.get("timeout_ms")
    found = {theirs: step[ours] for ours, theirs in _STEP_WORDS.items() if ours in step}
    found["timeoutMs"] = timeout if isinstance(timeout, int) and timeout > 0 else TIMEOUT_MS
    if isinstance(step.get("trigger"), dict):
        found["trigger"] = _trigger(folder, step["trigger"], place)
    return found


def _trigger(folder: Path, trigger: Mapping[str, Any], place: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": _text(trigger, "type", f"steps[{place}].trigger.")}
    if "schema" in trigger:
        file = inside(folder, _text(trigger, "schema", f"steps[{place}].trigger."))
        try:
            found |= {"schema": trigger["schema"], "schemaJson": json.loads(file.read_text(encoding="utf-8"))}
        except (OSError, ValueError):
            raise PackageBroken(f"The schema {trigger['schema']!r} cannot be read.") from None
    return found


def _steps(data: Mapping[str, Any]) -> list[Any]:
    steps = data.get("steps")
    if not isinstance(steps, list) or not steps:
        raise PackageBroken("It needs at least one [[steps]].")
    return steps


def _version(data: Mapping[str, Any]) -> float:
    version = data.get("version")
    if isinstance(version, bool) or not isinstance(version, int | float):
        raise PackageBroken("It needs a version, which is a number.")
    return version


def _text(data: Mapping[str, Any], name: str, where: str = "") -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value.strip():
        raise PackageBroken(f"{where}{name} is missing, or is no text.")
    return value
