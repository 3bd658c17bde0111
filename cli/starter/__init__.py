"""What a new recipe begins as: the one beside this file, or a copy of one in the catalogue."""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from cli import faults
from cli.client import connect
from cli.recipes import FILE_NAME, RecipeText, read_text
from zaps.bundled import bundled
from zaps.recipe import parse

_NAME_LINE = re.compile(r"^zap:.*$", re.MULTILINE)


def find(slug: str | None) -> RecipeText:
    """The recipe to begin with. One that came with Zaps needs no server. Raises Fault where there is none."""
    if slug is None:
        return read_text(Path(__file__).parent / FILE_NAME)
    for one in bundled():
        if one.slug == slug:
            return RecipeText(place=slug, source=one.source, prompts=dict(one.prompts))
    found = connect().call("GET", f"/api/zaps/{quote(slug, safe='')}")
    return RecipeText(place=slug, source=found["source"], prompts=found["prompts"])


def named(recipe: RecipeText, name: str) -> Mapping[str, str]:
    """Its files by path, with `name` in the place of its own. Raises Fault where it says its name in an odd way."""
    with faults.inside(recipe.place):
        # The catalogue's recipes have slugs of their own; ours says NAME, also in its prose.
        source = _NAME_LINE.sub(f"zap: {name}", recipe.source, count=1).replace("# NAME\n", f"# {name}\n")
        if parse(source, recipe.prompts).slug != name:
            raise faults.bad_input("RECIPE_NOT_COPIED", f"{recipe.place} names itself in a way that was not found.")
    if any(Path(path).is_absolute() or ".." in Path(path).parts for path in recipe.prompts):
        raise faults.bad_input("RECIPE_NOT_COPIED", f"{recipe.place} has prompts outside of its folder.")
    return {FILE_NAME: source, **recipe.prompts}
