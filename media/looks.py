"""What can be asked of a file from outside, by the names that `media.fence` asks by. Runs behind the fence."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from media.inspect import inspect
from media.probe import count_pictures, length_s, probe
from media.still import open_upright, write_fitted
from media.thumbnail import thumbnail


def _probe(path: Path) -> dict[str, Any]:
    return asdict(probe(path))


def _inspect(path: Path, time_limit_s: float) -> dict[str, Any]:
    return asdict(inspect(path, time_limit_s=time_limit_s))


def _write_still(path: Path, out: str, size: tuple[int, int] | None) -> None:
    probe(path)  # refuses more pixels than we take, before they are decoded
    if size is None:
        open_upright(path).save(out, "PNG")
    else:
        write_fitted(path, Path(out), size=(size[0], size[1]))


LOOKS: Mapping[str, Callable[..., Any]] = {
    "probe": _probe,
    "length_s": length_s,
    "count_pictures": count_pictures,
    "thumbnail": thumbnail,
    "inspect": _inspect,
    "write_still": _write_still,
}
