"""How docs/ becomes a site: every page has a place in index.md, and a link that leads nowhere stops the build."""

import re
import tomllib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

DOCS = Path(__file__).resolve().parent
LINK_OUT = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#]+)[^)]*\)")
LINK_TO_CHANGES = re.compile(r"\[([^\]]+)\]\((?:\.\./)*changelog\.md\)")
PART = re.compile(r"^## (.+)\n((?:(?!^## ).*\n?)*)", re.MULTILINE)
PLACE = re.compile(r"^- \[[^\]]+\]\(([\w/-]+)\.md\)", re.MULTILINE)

project = "Zaps"
author = "The authors of Zaps"
version = release = tomllib.loads((DOCS.parent / "pyproject.toml").read_text("utf-8"))["project"]["version"]
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline"]
# What is shown may leave things out with …, which no lexer knows.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = "Zaps"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["site"]
html_css_files = ["site.css"]
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app: Sphinx) -> None:
    """Have the pages read as they stand in the repository."""
    app.connect("env-before-read-docs", check_places)
    app.connect("source-read", read_page)


def places(index: str) -> dict[str, list[str]]:
    """The navigation: each heading of index.md, and the pages that its list links to."""
    parts = {title: PLACE.findall(body) for title, body in PART.findall(index)}
    return {title: pages for title, pages in parts.items() if pages}


def check_places(_app: Sphinx, env: BuildEnvironment, _names: list[str]) -> None:
    """Raises ExtensionError for a page that nobody would find."""
    placed = {page for pages in places((DOCS / "index.md").read_text("utf-8")).values() for page in pages}
    lost = sorted(env.found_docs - placed - {"index"})
    if lost:
        raise ExtensionError(
            f"docs/{lost[0]}.md has no place in the navigation: link it from a list in docs/index.md, as "
            f"`- [Its title]({lost[0]}.md): what one finds there`."
        )


def read_page(_app: Sphinx, name: str, source: list[str]) -> None:
    """Give index.md the navigation that its lists describe; of links out of docs/, keep the words."""
    text = source[0]
    # changelog.md leads to the file of that name in the root, and MyST would follow it out of docs/.
    pages = LINK_TO_CHANGES.sub(r"{doc}`\1 </changelog>`", text)
    source[0] = LINK_OUT.sub(lambda link: words_of(link, name), pages)
    if name == "index":
        trees = [
            f"\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n" + "\n".join(names) + "\n```\n"
            for title, names in places(text).items()
        ]
        source[0] += "".join(trees)


def words_of(link: re.Match[str], name: str) -> str:
    """Of a link out of docs/, what it says; a warning where what it leads to is not in the repository."""
    words, target = link.groups()
    place = ((DOCS / name).parent / target).resolve()
    if place.is_relative_to(DOCS):
        return link[0]
    if not place.exists():
        logging.getLogger(__name__).warning("The link to %s leads nowhere.", target, location=name)
    return words
