import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli import manuals
from cli.__main__ import main

ROOT = Path(__file__).resolve().parents[3]
LINES = st.lists(
    st.sampled_from(["# One", "## Two", "### Three four", "words", "", "```", "~~~", "#no heading", "  ## x"])
)


def told(capsys, *words):
    assert main(["docs", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_page_of_the_manual_is_a_topic(capsys):
    topics = {page["topic"] for page in told(capsys)["pages"]}

    assert topics == {path.relative_to(ROOT / "docs").with_suffix("").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert {"recipes", "operating", "cli"} <= topics


def test_every_page_says_in_words_what_it_is_about(capsys):
    assert [page["topic"] for page in told(capsys)["pages"] if not page["title"] or not page["about"]] == []


def test_a_topic_is_the_page_itself(capsys):
    assert told(capsys, "recipes")["text"] == (ROOT / "docs" / "recipes.md").read_text()


def test_a_section_comes_with_what_is_below_it_and_nothing_after(capsys):
    text = told(capsys, "recipes#steps")["text"]

    assert text.startswith("## Steps\n")
    assert "### Prompts\n" in text
    assert "\n## Refused by name" not in text


def test_a_search_finds_sections_that_hold_every_word_and_titles_first(capsys):
    hits = told(capsys, "--search", "gates MASK")["hits"]
    everything = told(capsys, "--search", "webhooks")["hits"]

    assert all("mask" in manuals.read(hit["place"]).lower() for hit in hits)
    first = {hit["place"] for hit in everything[:4]}
    assert first == {"cli#webhooks", "notifications#webhooks", "operating#webhooks", "security#webhooks"}
    assert told(capsys, "--search", "xyzzy")["hits"] == []


@pytest.mark.parametrize("place", ["recips", "recipes#stepz"])
def test_an_unknown_topic_says_what_comes_close(place, capsys):
    assert main(["docs", place, "--json"]) == 2

    problem = json.loads(capsys.readouterr().out)
    assert problem["code"] == "TOPIC_UNKNOWN"
    assert "Did you mean" in problem["remediation"]


def test_a_heading_in_a_code_block_is_none():
    page = "# Page\n```sh\n# a comment\n```\n## Next\n"

    assert [section.title for section in manuals.split(page)] == ["Page", "Next"]


@given(LINES)
def test_no_line_after_the_first_heading_is_lost(lines):
    text = "# Page\n" + "".join(f"{line}\n" for line in lines)

    assert "".join(section.text for section in manuals.split(text)) == text
