"""The fenced blocks of a page, with what the comments just before them say. CONTRIBUTING.md has the convention."""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: why a block may be left alone
REASONS = {
    "needs a vendor's key",
    "needs a bucket",
    "needs a terminal",
    "needs another program",
    "needs docker",
    "needs root on a server",
    "needs the internet",
    "runs every test",
    "runs until it is stopped",
}
LANGUAGES = {
    "console", "sh", "python", "json", "yaml", "toml", "markdown", "text", "",
    "caddyfile", "css", "csv", "html", "http", "ini", "javascript", "nginx", "ts", "tsx", "typescript",
}  # fmt: skip
_FENCE = re.compile(r"( *)(`{3,})([\w-]*) *$")
_COMMENT = re.compile(r" *<!-- (file|before|exit|not run): (.+) -->$")


@dataclass(frozen=True, kw_only=True)
class Block:
    """What stands between two fences. `line` is that of its first fence."""

    page: str
    line: int
    language: str
    text: str
    file: str | None = None
    before: list[str] = field(default_factory=list)
    exits: list[int] = field(default_factory=list)
    not_run: str | None = None

    @property
    def place(self):
        return f"{self.page}:{self.line}"

    @property
    def is_commands(self):
        return self.language in {"console", "sh"} and self.file is None


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command of a block, what the page says that it prints ("" for no word about it), and how it ends."""

    place: str
    text: str
    shown: str = ""
    exit: int = 0


def pages():
    """The files whose blocks are looked at, by their path in the repository."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in found if not path.is_symlink()}


def blocks_of(page, text):
    """The blocks of a page, in their order."""
    found, said, lines = [], [], enumerate(text.splitlines(), 1)
    for number, line in lines:
        if comment := _COMMENT.match(line):
            said.append(comment.groups())
        elif fence := _FENCE.match(line):
            indent, ticks, language = fence.groups()
            body = []
            for _, inner in lines:
                if inner.strip() == ticks:
                    break
                body.append(inner.removeprefix(indent))
            else:
                raise AssertionError(f"{page}:{number}: the block does not end.")
            found.append(_block(page, number, language, "\n".join(body) + "\n", said))
            said = []
        elif line.strip():
            assert not said, f"{page}:{number}: a comment about a block stands just before it."
    assert not said, f"{page}: a comment at the end is about no block."
    return found


def commands_of(block):
    """The commands of a block in their order, those that are not shown first."""
    shown = [*_console(block)] if block.language == "console" else [(block.text, "")]
    exits = [*block.exits, *[0] * (len(shown) - len(block.exits))]
    assert len(exits) == len(shown), f"{block.place}: more exits than commands."
    return [
        *(Command(place=block.place, text=text) for text in block.before),
        *(
            Command(place=block.place, text=text, shown=output, exit=code)
            for (text, output), code in zip(shown, exits, strict=True)
        ),
    ]


def _block(page, line, language, text, said):
    def of(word):
        return [value for key, value in said if key == word]

    return Block(
        page=page,
        line=line,
        language=language,
        text=text,
        file=next(iter(of("file")), None),
        before=of("before"),
        exits=[int(code) for codes in of("exit") for code in codes.split(",")],
        not_run=next(iter(of("not run")), None),
    )


def _console(block):
    command, output = None, []
    for line in block.text.splitlines():
        if command is not None and command.endswith("\\") and not output:
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command is not None:
                yield command, "\n".join(output).strip()
            command, output = line[2:], []
        else:
            assert command is not None, f"{block.place}: the block begins with no command."
            output.append(line)
    if command is not None:
        yield command, "\n".join(output).strip()
