"""Cut a Zap.md into its YAML frontmatter and its prose. The prose is never read."""

import re
from dataclasses import dataclass

from core.errors import Problem
from zaps.recipe.errors import Log, RecipeInvalid

SOURCE_AT_MOST = 256 * 1024  # characters
FRONTMATTER_AT_MOST = 64 * 1024  # characters; more than a hundred long steps
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no database keeps these
_FENCE = re.compile(r"---[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontmatter:
    """The YAML, and where it starts: `start` characters into the text that `log` counts in."""

    text: str
    start: int
    log: Log


def split(source: str) -> Frontmatter:
    """The frontmatter of `source`. A byte order mark, CRLF and blank lines before it are fine. Raises RecipeInvalid."""
    if len(source) > SOURCE_AT_MOST:
        message = f"The recipe has {len(source):,} characters; at most {SOURCE_AT_MOST:,} are read."
        raise RecipeInvalid(message, problems=[Problem(code="RECIPE_TOO_LARGE", message=message, line=1, column=1)])
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    log = Log(text)
    if bad := UNSTORABLE.search(text):
        log.fail("RECIPE_CHARACTER", "This character cannot be stored; remove it.", at=bad.start())
    first = len(text) - len(text.lstrip())
    opening = _FENCE.match(text, first)
    if opening is None or text[text.rfind("\n", 0, first) + 1 : first]:
        log.fail("RECIPE_NO_FRONTMATTER", 'A recipe starts with a line "---", then YAML, then a line "---".', at=0)
    start = min(opening.end() + 1, len(text))
    closing = next((fence for fence in _FENCE.finditer(text, start) if text[fence.start() - 1] == "\n"), None)
    if closing is None:
        log.fail(
            "RECIPE_FRONTMATTER_OPEN", 'The frontmatter is never closed by a second line "---".', at=opening.start()
        )
    if closing.start() - start > FRONTMATTER_AT_MOST:
        message = (
            f"The frontmatter has more than {FRONTMATTER_AT_MOST:,} characters; put long prompts into prompt files."
        )
        log.fail("RECIPE_TOO_LARGE", message, at=start)
    return Frontmatter(text=text[start : closing.start()], start=start, log=log)
