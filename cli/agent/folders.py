"""Which files of this machine the server may send. Whoever starts it decides; nothing that a model says changes it."""

import os
from collections.abc import Sequence
from pathlib import Path

import filetype  # type: ignore[import-untyped]

from cli import faults
from cli.exits import Exit
from cli.inputs import MEDIA


class Folders:
    """Folders, as they are with every link followed. None of them: no file at all."""

    def __init__(self, allowed: Sequence[Path]) -> None:
        """Raises Fault for what is no folder."""
        self._allowed = tuple(_folder(path) for path in allowed)

    def find(self, name: str) -> Path:
        """A picture, clip or sound in one of them, with every link followed; a relative name is tried in each.

        Raises Fault, which does not tell what there is elsewhere.
        """
        if not self._allowed:
            raise faults.fault(
                "FILES_NOT_ALLOWED",
                "This server was started without leave to read files.",
                exit_code=Exit.REFUSED,
                remediation="Use an https address, or ask the person to start it again with --folder DIR.",
            )
        inside = [path for path in (_followed(folder / name) for folder in self._allowed) if path and self._holds(path)]
        if not inside:
            raise faults.fault(
                "FILE_OUTSIDE",
                f"This server may read files in {' and '.join(map(str, self._allowed))} only.",
                exit_code=Exit.REFUSED,
                remediation="Name a file there, or ask the person to start it again with another --folder DIR.",
            )
        found = next((path for path in inside if os.path.isfile(path)), None)
        if found is None:
            raise faults.bad_input("FILE_NOT_FOUND", "There is no such file.", "Ask the person where it is.")
        _require_media(found)
        return found

    def _holds(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in self._allowed)


def _folder(path: Path) -> Path:
    found = _followed(path.expanduser())
    if found is None or not found.is_dir():
        raise faults.bad_input("FOLDER_NOT_FOUND", f"{path} is no folder.", "Give --folder one that is there.")
    return found


def _followed(path: Path) -> Path | None:
    """None where it cannot be one: links in a circle, or a character that no name has."""
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError):
        return None


def _require_media(path: Path) -> None:
    """Raises Fault before a byte has left: the server would refuse it too, but only when it has it."""
    try:
        kind = filetype.guess(path)
    except OSError as exc:
        raise unreadable(exc) from None
    if kind is None or kind.mime.split("/")[0] not in MEDIA:
        raise faults.bad_input(
            "INPUT_NOT_MEDIA", "It is no image, video or sound that we know.", "Nothing else can be uploaded."
        )


def unreadable(exc: OSError) -> faults.Fault:
    """The file is there, and this process may not read it."""
    return faults.bad_input("FILE_UNREADABLE", f"The file cannot be read: {exc.strerror}.", "Ask the person to look.")
