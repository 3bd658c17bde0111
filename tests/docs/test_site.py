"""The site: nothing of it comes from elsewhere, and a page that nobody would find stops the build."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

ELSEWHERE = re.compile(r"""<(?:script|link|img|iframe|source)\b[^>]*?(?:src|href)="(?:https?:)?//[^"]*""")


@pytest.fixture
def docs(tmp_path):
    """A copy of docs/, to be changed, beside what it refers to."""
    return copy(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """An unchanged copy of docs/, of which the site is made; with what the builder said, and whether it was content."""
    docs = copy(tmp_path_factory.mktemp("site"))
    return docs, *build(docs)


def copy(folder):
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    return Path(shutil.copytree(ROOT / "docs", folder / "docs", symlinks=True))


def build(docs):
    """What the builder says, and whether the site is there."""
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-q",
        "-n",
        "-b",
        "html",
        docs,
        docs.parent / "site",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr, done.returncode == 0


def test_the_site_has_every_page_and_loads_nothing_from_elsewhere(built):
    docs, said, is_built = built

    assert is_built, said
    pages = {path.relative_to(docs).with_suffix(".html") for path in docs.rglob("*.md")}
    assert all((docs.parent / "site" / page).exists() for page in pages)
    loaded = [ELSEWHERE.findall(path.read_text()) for path in (docs.parent / "site").rglob("*.html")]
    assert [one for one in loaded if one] == []
    sheets = "".join(path.read_text() for path in (docs.parent / "site").rglob("*.css"))
    assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", sheets)


def test_the_navigation_is_the_lists_of_the_first_page(built):
    docs, *_ = built

    page = (docs.parent / "site" / "architecture.html").read_text()
    captions = re.findall(r'<p class="caption"[^>]*><span class="caption-text">([^<]+)', page)
    assert captions == re.findall(r"^## (.+)$", (docs / "index.md").read_text(), re.MULTILINE)


def test_links_between_pages_are_links_and_those_out_of_the_manual_are_words(docs):
    (docs / "how-to" / "upgrade.md").write_text(
        "# Upgrade\n\n[a](../api.md#keys) [b](../../examples/gate) [c](../changelog.md)\n"
    )

    said, is_built = build(docs)

    assert is_built, said
    page = (docs.parent / "site" / "how-to" / "upgrade.html").read_text()
    assert 'href="../api.html#keys"' in page
    assert 'href="../changelog.html"' in page
    assert "examples/gate" not in page


def test_a_page_without_a_place_stops_the_build_and_says_where_it_belongs(docs):
    (docs / "how-to" / "knit.md").write_text("# Knitting\n\nHow to knit.\n")

    said, is_built = build(docs)

    assert not is_built
    assert "docs/how-to/knit.md has no place in the navigation: link it from a list in docs/index.md" in said


def test_links_that_lead_nowhere_stop_the_build(docs):
    links = "[a](none1.md) [b](api.md#none2) [c](../none3) ![d](pictures/none4.png)"
    (docs / "tutorial.md").write_text(f"# The first hour\n\n{links}\n")

    said, is_built = build(docs)

    assert not is_built
    assert all(f"none{number}" in said for number in (1, 2, 3, 4)), said
