"""The column "run live" of docs/providers.md, as the transcripts that vendors themselves have answered say."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from config.local import BASE_DIR
from providers.registry import PROVIDERS
from providers.transcript.page import Transcript
from providers.transcript.writing import digest_of

_TRANSCRIPTS = BASE_DIR / "tests" / "contract" / "transcripts"
_HEAD = "| run live |"


def page(text: str, folder: Path = _TRANSCRIPTS) -> str:
    """The page with that column drawn anew."""
    cells = _cells(Transcript.read(path) for path in sorted(folder.glob("*.json")))
    lines, inside = [], False
    for line in text.split("\n"):
        inside = line.endswith(_HEAD) or (inside and line.startswith("|"))
        lines.append(_drawn(line, cells) if inside else line)
    return "\n".join(lines)


def _cells(transcripts: Iterable[Transcript]) -> Mapping[str, str]:
    """By provider: the day of the newest recording, and whether the adapter is still the one that made it."""
    cells = {one.name: "never" if one.base_url or one.self_hosted else "–" for one in PROVIDERS}  # noqa: RUF001
    for one in sorted((one for one in transcripts if one.is_live), key=lambda one: one.recorded_on):
        same = one.adapter == digest_of(PROVIDERS.get(one.provider))
        cells[one.provider] = one.recorded_on if same else f"{one.recorded_on}, with another version"
    return cells


def _drawn(line: str, cells: Mapping[str, str]) -> str:
    name = line.removeprefix("| `").partition("`")[0]
    if not line.startswith("| `") or name not in cells:
        return line
    row = line.rstrip("| ").rpartition("|")[0] if line.endswith("|") else line
    return f"{row}| {cells[name]} |"
