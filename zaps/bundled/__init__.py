"""The recipes that come with the installation: one folder each, with Zap.md and its prompts."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).parent


class Bundled(NamedTuple):
    """A recipe's folder, read."""

    slug: str
    source: str
    prompts: Mapping[str, str]


def bundled() -> Iterator[Bundled]:
    """Every bundled recipe, by slug."""
    for file in sorted(_ROOT.glob("*/Zap.md")):
        prompts = {
            path.relative_to(file.parent).as_posix(): path.read_text("utf-8")
            for path in sorted(file.parent.glob("prompts/*.md"))
        }
        yield Bundled(slug=file.parent.name, source=file.read_text("utf-8"), prompts=prompts)
