"""RECIPE on the command line: a file, a folder with a Zap.md, or the slug of a recipe in the catalogue."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cli import faults

FILE_NAME = "Zap.md"
PROMPTS = "prompts"
MAX_BYTES = 1024 * 1024  # of one file
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeText:
    """A recipe that lies on this machine. `place` is its file, as the caller wrote it."""

    place: str
    source: str = field(repr=False)
    prompts: dict[str, str] = field(repr=False)


def find_recipe(word: str) -> RecipeText | str:
    """The recipe's text, or its slug. Raises Fault.

    A file or a folder with a Zap.md goes first; a folder without one is not in the way of a slug of that name.
    """
    path = Path(word)
    if path.is_file():
        return read_text(path)
    if (path / FILE_NAME).is_file():
        return read_text(path / FILE_NAME)
    if path.is_dir() and not _SLUG.fullmatch(word):
        raise faults.bad_input("FILE_NOT_FOUND", f"There is no {FILE_NAME} in {word}.")
    if _SLUG.fullmatch(word):
        return word
    raise faults.bad_input("FILE_NOT_FOUND", f"There is no file {word}, and it cannot be a slug.")


def find_text(word: str) -> RecipeText:
    """The recipe's text; slugs are not looked for. Raises Fault."""
    path = Path(word)
    return read_text(path / FILE_NAME if path.is_dir() else path)


def read_text(path: Path) -> RecipeText:
    """The file, and the prompt files in `prompts` beside it. Raises Fault."""
    root = path.parent
    prompts = {file.relative_to(root).as_posix(): _read(file) for file in _prompt_files(root)}
    return RecipeText(place=str(path), source=_read(path), prompts=prompts)


def _prompt_files(root: Path) -> Iterator[Path]:
    """Every text under prompts/, in a stable order. A link that leads out of the recipe's folder is not followed."""
    home = root.resolve()
    for file in sorted((root / PROMPTS).rglob("*.md")):
        if file.is_file() and file.resolve().is_relative_to(home):
            yield file


def _read(path: Path) -> str:
    """The text, with its line ends and byte order mark as they are."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise faults.bad_input("FILE_NOT_FOUND", f"There is no file {path}.") from None
    except OSError as exc:
        raise faults.bad_input("FILE_UNREADABLE", f"{path} cannot be read: {exc.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise faults.bad_input("FILE_TOO_LARGE", f"{path} is larger than {MAX_BYTES // 1024} KiB: that is no recipe.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise faults.bad_input("FILE_NOT_UTF8", f"{path} is no UTF-8 text.", "Save it as UTF-8.") from None
