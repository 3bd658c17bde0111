"""The recipe language: text in; a typed recipe, or problems with their places in the file, out. Pure."""

from zaps.recipe.errors import RecipeInvalid
from zaps.recipe.parser import parse
from zaps.recipe.schema import Recipe

__all__ = ["Recipe", "RecipeInvalid", "parse"]
