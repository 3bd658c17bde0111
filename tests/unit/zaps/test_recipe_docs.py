"""What docs/recipes.md says is true: its recipes and fragments are planned, what it calls refused is refused."""

import re
import textwrap
from pathlib import Path

import pytest

from core.errors import BadInput
from providers.prices import load
from providers.registry import PROVIDERS
from tests.examples import EXAMPLES, inputs_of
from zaps.kind import KINDS
from zaps.plan import make_plan
from zaps.recipe import parse
from zaps.recipe.lint import lint

from .planning import TODAY

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
CODE = re.compile(r'"((?:RECIPE|LINT|INPUT|PLAN|PRICE|PROVIDER|PARAMETER|NOT|LOCAL)_[A-Z_]+)"')
FIRST = PAGE.split("```markdown\n")[1].split("```")[0]
FRAGMENTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
REFUSED = re.findall(r"^\| `?([a-z.]+)`? \| `([^|]+)` \| `([A-Z_]+)` \|$", PAGE, re.MULTILINE)
STEPS, FILM = "steps:\n", "  - id: film\n"
PROMPTS = {"prompts/morning.md": "Lights go on in {TOWN}."}
MADE_FROM = {
    "image.upscale": "inputs: [street]",
    "video.gen": "reference_images: [street]",
    "video.extend": "repeat: {default: 1}",
    "stitch": "inputs: [morning]",
    "keyframes": "inputs: [morning]",
}


def planned(text, *, inputs=None, prompts=PROMPTS):
    """The plan of a live run; nothing is asked of anybody."""
    return make_plan(
        parse(text, prompts),
        inputs={"TOWN": "Bergen"} if inputs is None else inputs,
        mode="live",
        providers=PROVIDERS,
        prices=load(),
        today=TODAY,
    )


def continued(fragment):
    """The page's first recipe with these steps between `morning` and `film`, and a budget that they fit in."""
    text = FIRST.replace(FILM, textwrap.indent(fragment, "  ") + FILM)
    return text.replace("cap_usd: 3", "cap_usd: 9")


def with_line(kind, line):
    """The first recipe with one more step of that kind, or with one more key, that has this line."""
    if kind == "recipe":
        return FIRST.replace(STEPS, f"{line}\n{STEPS}")
    lines = ["- id: tried", f"  kind: {kind}", f"  {line}"]
    if kind in MADE_FROM and not line.startswith(MADE_FROM[kind].split(":")[0]):
        lines.append(f"  {MADE_FROM[kind]}")
    if KINDS.get(kind).needs_duration and not line.startswith("duration_s"):
        lines.append("  duration_s: 5")
    if KINDS.get(kind).render is None and not kind.endswith("upscale"):
        lines.append("  prompt: Snow.")
    return continued("\n".join(lines) + "\n")


def test_every_code_that_recipes_and_plans_can_give_is_explained():
    folders = ("zaps", "zaps/recipe", "zaps/planning")
    sources = "".join(path.read_text("utf-8") for folder in folders for path in ROOT.glob(f"{folder}/*.py"))

    missing = {code for code in CODE.findall(sources) if f"`{code}`" not in PAGE}

    assert not missing


def test_every_kind_is_explained():
    assert not {kind.name for kind in KINDS if f"`{kind.name}`" not in PAGE}


def test_the_first_example_is_a_tidy_recipe_that_can_be_planned():
    assert [step.step_id for step in planned(FIRST).steps] == ["street", "morning", "film"]
    assert {one.path for one in lint(parse(FIRST, PROMPTS))} == {"inputs.PHOTO"}  # the fragments use it


def test_the_page_has_a_fragment_for_every_field_of_a_step():
    table = PAGE.partition("## Steps")[2].partition("| kind | makes")[0]
    fields = {
        name for row in re.findall(r"^\| (`[^|]+) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    shown = {name for text in (FIRST, *FRAGMENTS) for name in re.findall(r"^ *(?:- )?(\w+):", text, re.MULTILINE)}

    assert fields - shown == {"provider"}


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda one: one.split("\n")[0].removeprefix("- id: "))
def test_every_fragment_can_be_planned_at_a_real_provider(fragment):
    plan = planned(continued(fragment), inputs={"TOWN": "Bergen", "PHOTO": "https://example.com/town.png"})

    assert not plan.warnings


@pytest.mark.parametrize(("kind", "line", "code"), REFUSED)
def test_what_the_page_calls_refused_is_refused(kind, line, code):
    with pytest.raises(BadInput) as caught:
        planned(with_line(kind, line))

    named = line.split(":")[0]
    assert [problem for problem in caught.value.problems if problem.code == code and named in (problem.path or "")]


def test_the_table_of_refusals_was_found():
    assert len(REFUSED) > 30
    assert len(FRAGMENTS) > 15


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_tidy_priced_and_within_its_estimate(name):
    recipe = parse(EXAMPLES[name], {})
    plan = planned(EXAMPLES[name], inputs=inputs_of(name), prompts={})

    assert recipe.slug == name
    assert lint(recipe) == []
    assert plan.warnings == ()
    assert 0 < plan.quote_usd <= recipe.estimate_usd


def test_the_page_names_every_example():
    assert not [name for name in EXAMPLES if f"`{name}" not in PAGE]
