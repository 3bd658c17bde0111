"""What the pages show, besides commands, can be read by what it is meant for."""

import ast
import json
import re
import tomllib

import pytest
import yaml

from tests.docs.blocks import LANGUAGES, ROOT, blocks_of, pages
from zaps.recipe import parse

BLOCKS = [block for page, text in pages().items() for block in blocks_of(page, text)]
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def of(*languages):
    found = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


def without_gaps(text):
    """JSON of which parts are left out, with nothing in their places."""
    text = re.sub(r'"[^"\n]*"|,\s*…|…\s*,?', lambda one: one[0] if one[0].startswith('"') else "", text)
    return re.sub(r":(\s*[,}\]])", r": null\1", text)


def test_every_block_says_in_what_language_it_is():
    assert {block.language for block in BLOCKS} <= LANGUAGES


def test_no_command_hides_in_a_block_that_is_not_run():
    hidden = [
        one.place for one in BLOCKS if one.language in {"", "text"} and re.search(r"^\$ ", one.text, re.MULTILINE)
    ]

    assert hidden == []


@of("python")
def test_python_can_be_parsed(block):
    ast.parse(block.text)


@of("json")
def test_json_can_be_parsed(block):
    json.loads(without_gaps(block.text))


@of("yaml")
def test_yaml_can_be_parsed(block):
    yaml.safe_load(block.text.replace("…", "null"))


@of("toml")
def test_toml_can_be_parsed(block):
    tomllib.loads(block.text)


@of("markdown")
def test_a_recipe_is_valid(block):
    # What is a file of its page is validated, or found wanting, by the page's own commands.
    if block.file or not re.match(r"---\nzap:", block.text):
        return
    paths = re.findall(r"prompts/[\w-]+\.md", block.text)

    recipe = parse(block.text, dict.fromkeys(paths, "Words."))

    assert recipe.steps


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_every_link_of_a_page_that_is_not_in_the_site_leads_somewhere(page):
    dead = [target for target in LINK.findall((ROOT / page).read_text()) if not (ROOT / target).exists()]

    assert dead == []


def test_a_link_of_the_changelog_is_read_the_same_from_the_root_and_from_the_site():
    assert LINK.findall((ROOT / "CHANGELOG.md").read_text()) == []
