"""The pages of docs/, as they are shipped: found by topic, cut into sections, searched."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cli import faults

_ROOT = Path(__file__).with_name("manual")  # leads to docs/; a wheel holds the pages themselves
_HEADING = re.compile(r"(#{1,6}) +(.+)")
_FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, and the text up to the next heading of whatever depth."""

    title: str
    depth: int  # 1 is the page's own title
    text: str

    @property
    def anchor(self) -> str:
        """How links name it."""
        return "-".join(re.sub(r"[^\w\- ]", "", self.title.lower()).split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One file. `topic` is its path below docs/ without the ending."""

    topic: str
    text: str
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Its first heading."""
        return self.sections[0].title if self.sections else self.topic

    @property
    def about(self) -> str:
        """Its first sentence; where it begins without one, what its parts are called."""
        body = self.sections[0].text.partition("\n")[2].strip() if self.sections else ""
        if not body:
            return ", ".join(one.title for one in self.sections if one.depth == 2)
        return " ".join(re.split(r"(?<=[.!?])\s", body.partition("\n\n")[0], maxsplit=1)[0].split())

    def section(self, anchor: str) -> str | None:
        """The section with everything below it; None where there is none of that name."""
        begin = next((at for at, one in enumerate(self.sections) if one.anchor == anchor), None)
        if begin is None:
            return None
        top = self.sections[begin].depth
        length = next((n for n, one in enumerate(self.sections[begin + 1 :], 1) if one.depth <= top), None)
        end = None if length is None else begin + length
        return "".join(one.text for one in self.sections[begin:end])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A section that holds every word that was looked for."""

    place: str  # topic#anchor
    title: str
    line: str  # the first line that holds one of the words


@lru_cache(maxsize=1)
def pages() -> Mapping[str, Page]:
    """Every page, by topic."""
    found = {}
    for file in sorted(_ROOT.rglob("*.md")):
        topic = file.relative_to(_ROOT).with_suffix("").as_posix()
        text = file.read_text("utf-8")
        found[topic] = Page(topic=topic, text=text, sections=tuple(split(text)))
    return found


def read(place: str) -> str:
    """The page or, of `topic#anchor`, the section. Raises Fault where there is none, with what comes close."""
    topic, _, anchor = place.partition("#")
    page = pages().get(topic.removesuffix(".md"))
    if page is None:
        raise _unknown(f"There is no page {topic!r}.", topic, pages())
    if not anchor:
        return page.text
    text = page.section(anchor)
    if text is None:
        raise _unknown(f"{topic} has no section {anchor!r}.", anchor, [one.anchor for one in page.sections])
    return text


def search(words: str) -> list[Hit]:
    """The sections that hold every word, those that have one in their title first. [] when none does."""
    wanted = words.lower().split()
    hits = [
        (section.depth if any(word in section.title.lower() for word in wanted) else 9, _hit(page, section, wanted))
        for page in pages().values()
        for section in page.sections
        if wanted and all(word in section.text.lower() for word in wanted)
    ]
    return [hit for _, hit in sorted(hits, key=lambda one: one[0])]


def split(text: str) -> Iterator[Section]:
    """The text at its headings; nothing of it is lost after the first. A heading inside a code block is none."""
    title, depth, lines, fenced = "", 0, list[str](), False
    for line in text.splitlines(keepends=True):
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading:
            if depth:
                yield Section(title=title, depth=depth, text="".join(lines))
            title, depth, lines = heading[2].strip(), len(heading[1]), []
        lines.append(line)
    if depth:
        yield Section(title=title, depth=depth, text="".join(lines))


def _hit(page: Page, section: Section, wanted: list[str]) -> Hit:
    line = next(line for line in section.text.splitlines() if any(word in line.lower() for word in wanted))
    place = page.topic if section.depth == 1 else f"{page.topic}#{section.anchor}"
    return Hit(place=place, title=section.title, line=line.strip())


def _unknown(sentence: str, word: str, there_are: Mapping[str, Page] | list[str]) -> faults.Fault:
    close = difflib.get_close_matches(word.lower(), list(there_are), n=3)
    meant = f"Did you mean {' or '.join(close)}? " if close else ""
    remedy = f"{meant}`zap docs` lists the pages, `zap docs --search TEXT` looks into them."
    return faults.bad_input("TOPIC_UNKNOWN", sentence, remedy)
