"""A recipe's text becomes a Recipe, or everything that is wrong with it."""

from collections.abc import Collection, Mapping

from zaps.recipe.check import check
from zaps.recipe.fields import Field
from zaps.recipe.frontmatter import split
from zaps.recipe.prompts import check_files
from zaps.recipe.read import read_recipe
from zaps.recipe.schema import KNOWN_PROVIDERS, Recipe
from zaps.recipe.tree import Scalar, compose


def parse(source: str, prompts: Mapping[str, str], *, installed: Collection[str] = ()) -> Recipe:
    """The recipe in `source`, a Zap.md, with its prompt files by path (`prompts/look.md`).

    `installed` are names of providers beyond the well-known ones. Raises RecipeInvalid with every problem of the file.
    """
    matter = split(source)
    log = matter.log
    check_files(prompts, log)
    root = compose(matter)
    log.where[""] = log.place(matter.start)
    top = Field(root or Scalar(at=matter.start, text="", plain=True), "", log)
    if not hasattr(root, "entries"):
        log.fail(
            "RECIPE_TYPE", "The frontmatter must be a map of keys and values, such as `zap: my-film`.", at=top.node.at
        )
    recipe = read_recipe(top.section(), prompts=prompts, providers=sorted({*KNOWN_PROVIDERS, *installed}), log=log)
    check(recipe, log)
    log.raise_if_any()
    return recipe
