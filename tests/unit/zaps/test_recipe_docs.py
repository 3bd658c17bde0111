import re
from pathlib import Path

from zaps.kind import KINDS
from zaps.recipe import parse

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
CODE = re.compile(r'"((?:RECIPE|LINT|INPUT|PLAN|PRICE|PROVIDER|PARAMETER|NOT|LOCAL)_[A-Z_]+)"')


def test_every_code_that_recipes_and_plans_can_give_is_explained():
    sources = "".join(
        path.read_text("utf-8") for folder in ("zaps", "zaps/recipe") for path in ROOT.glob(f"{folder}/*.py")
    )

    missing = {code for code in CODE.findall(sources) if f"`{code}`" not in PAGE}

    assert not missing


def test_every_kind_is_explained():
    assert not {kind.name for kind in KINDS if f"`{kind.name}`" not in PAGE}


def test_the_example_is_a_recipe():
    example = PAGE.split("```markdown\n")[1].split("```")[0]

    recipe = parse(example, {"prompts/morning.md": "Lights go on in {TOWN}."})

    assert [step.id for step in recipe.steps] == ["street", "morning", "further", "film"]
