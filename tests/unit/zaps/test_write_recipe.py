from decimal import Decimal

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from zaps.bundled import bundled
from zaps.recipe import parse
from zaps.recipe.write import Change, inline, rewrite

from .texts import PROMPTS, SMALL, WORLD_CUP

BLOCK = """\
---
zap: some-film          # its name
version: 2
description: |
  Two lines,
  and "quotes".

# What it may cost.
budget:
  estimate_usd: 1
  cap_usd: 5   # never more

steps:
- id: still
  # the look
  kind: image.gen
  prompt: "A picture."
- {id: other, kind: image.gen, params: {seed: '7'}}
lineage:
  from: somewhere
---
# Prose: not touched
"""


def change(path, key, value, **more):
    return Change(path=path, key=key, value=value, **more)


def test_a_value_is_replaced_and_every_comment_stays():
    made = rewrite(BLOCK, [change(("budget",), "cap_usd", Decimal("6.50"))])

    assert made == BLOCK.replace("cap_usd: 5 ", "cap_usd: 6.50 ")


def test_what_was_not_there_is_added_behind_its_neighbour():
    made = rewrite(
        BLOCK,
        [
            change(("steps", 0), "provider", "fal", after="kind"),
            change(("steps", 0), "model", "fal-ai/flux/dev", after="kind"),
            change(("steps", 1), "provider", "fal", after="kind"),
        ],
        comment="Made by a test.",
    )

    assert made == (
        BLOCK.replace("---\nzap", "---\n# Made by a test.\nzap", 1)
        .replace("  prompt: ", "  provider: fal\n  model: fal-ai/flux/dev\n  prompt: ")
        .replace("{seed: '7'}", "{seed: '7'}, provider: fal")
    )


def test_a_block_is_replaced_by_one_line():
    made = rewrite(BLOCK, [change((), "lineage", {"source_zap": "x", "source_version": 3})])

    assert made == BLOCK.replace("lineage:\n  from: somewhere\n", "lineage: {source_zap: x, source_version: 3}\n")


def test_one_key_takes_the_place_of_another():
    made = rewrite(BLOCK, [change(("steps", 0), "model", "m", instead_of="prompt")])

    assert made == BLOCK.replace('prompt: "A picture."', "model: m")


def test_several_things_at_the_same_place_all_stay():
    text = BLOCK.replace("params: {seed: '7'}", "params: {}")

    made = rewrite(
        text,
        [
            change(("steps", 0), "provider", "fal", after="id"),
            change(("steps", 0), "what", 1, instead_of="kind"),
            change(("steps", 1, "params"), "a", True),
            change(("steps", 1, "params"), "b", None),
        ],
    )

    assert "  provider: fal\n  what: 1\n  prompt" in made
    assert "params: {a: true, b: null}}" in made


def test_line_ends_and_a_byte_order_mark_become_plain():
    assert rewrite("\ufeff" + BLOCK.replace("\n", "\r\n"), []) == BLOCK


def test_where_it_cannot_be_done_in_place_the_values_stay():
    text = BLOCK.replace("  kind: image.gen\n  prompt", "  ? kind\n  : image.gen\n  prompt").replace(
        "params: {seed: '7'}", "params: {seed: '7', empty: , no: NO}"
    )

    made = rewrite(text, [change(("steps", 0), "model", "m", instead_of="kind")])

    data = yaml.load(made.split("---\n")[1], yaml.BaseLoader)  # every scalar as the text that stands there
    assert data["steps"][0] == {"id": "still", "model": "m", "prompt": "A picture."}
    assert data["steps"][1]["params"] == {"seed": "7", "empty": "null", "no": "NO"}
    assert "seed: '7'" in made
    assert made.endswith("---\n# Prose: not touched\n")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("fal-ai/flux/dev", "fal-ai/flux/dev"),
        ("no", '"no"'),
        ("1.5", '"1.5"'),
        ("a: b", '"a: b"'),
        ("x\n", '"x\\n"'),
        (Decimal("0.000001"), "0.000001"),
        (2, "2"),
        (False, "false"),
        ({"a": [1, None]}, "{a: [1, null]}"),
    ],
)
def test_a_value_on_one_line(value, text):
    assert inline(value) == text


@given(st.text())
def test_a_text_stays_that_text(text):
    node = yaml.compose(f"- {inline({'key': text})}", yaml.SafeLoader)

    assert node.value[0].value[0][1].value == text
    assert yaml.safe_load(inline(text)) == text


TEXTS = [(one.source, one.prompts) for one in bundled()] + [(WORLD_CUP, PROMPTS), (SMALL, {})]
STORABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
WORDS = st.text(STORABLE, min_size=1, max_size=12) | st.sampled_from(["null", "yes", "3", "- x", "# y", "{", "'", '"'])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_a_recipe_says_what_was_written_into_it_and_nothing_else_changes(text, data):
    source, prompts = text
    before = parse(source, prompts)
    chosen = data.draw(st.sets(st.integers(0, len(before.steps) - 1), min_size=1))
    changes = []
    for index in chosen:
        after = data.draw(st.sampled_from(["id", "kind", "prompt", "nothing"]))
        changes.append(
            change(
                ("steps", index),
                "x_note",
                data.draw(WORDS | st.integers(-(10**15) + 1, 10**15 - 1) | st.none()),
                after=after,
            )
        )
        changes.append(change(("steps", index), "model", data.draw(WORDS.filter(str.strip)), after=after))
    if data.draw(st.booleans()):
        source = source.replace("---\n", "---\n# first\n", 1).replace("\n", "\r\n")

    after = parse(rewrite(source, changes, comment="c"), prompts)

    notes = {c.path[1]: c.value for c in changes if c.key == "x_note"}
    models = {c.path[1]: c.value for c in changes if c.key == "model"}
    for index, (old, new) in enumerate(zip(before.steps, after.steps, strict=True)):
        assert new.model == models.get(index, old.model)
        assert new.extra == ({"x_note": notes[index]} if index in notes else {})
        assert (new.id, new.prompt, new.inputs, new.params) == (old.id, old.prompt, old.inputs, old.params)
    assert (after.inputs, after.cap_usd, after.description) == (before.inputs, before.cap_usd, before.description)
