"""A recipe's text becomes a Recipe, or everything that is wrong with it."""

from collections.abc import Mapping

from providers.registry import PROVIDERS
from zaps.recipe.check import check
from zaps.recipe.fields import Section
from zaps.recipe.frontmatter import split
from zaps.recipe.prompts import check_files
from zaps.recipe.read import read_recipe
from zaps.recipe.schema import KNOWN_PROVIDERS, Recipe
from zaps.recipe.tree import Fields, compose


def parse(source: str, prompts: Mapping[str, str]) -> Recipe:
    """The recipe in `source`, a Zap.md, with its prompt files by path (`prompts/look.md`).

    It may name every well-known provider and every installed one. Raises RecipeInvalid with every problem of the file.
    """
    matter = split(source)
    log = matter.log
    check_files(prompts, log)
    root = compose(matter)
    log.where[""] = log.place(matter.start)
    if not isinstance(root, Fields):
        message = "The frontmatter must be a map of keys and values, such as `zap: my-film`."
        log.fail("RECIPE_TYPE", message, at=root.at if root else matter.start)
    providers = sorted({*KNOWN_PROVIDERS, *PROVIDERS.entries})
    recipe = read_recipe(Section(root, "", log), prompts=prompts, providers=providers, log=log)
    check(recipe, log)
    log.raise_if_any()
    return recipe
