"""What stands against a plan, collected: a caller is told everything at once."""

from core.errors import BadInput, Problem
from zaps.recipe.schema import Recipe


class FieldRefused(BadInput):
    """The recipe asks for something that no run can act on."""

    code = "RECIPE_FIELD_UNUSABLE"
    title = "A field of the recipe cannot be acted on."
    remediation = "Change the fields that `errors` lists, or leave them out."


class ProviderUnsupported(BadInput):
    """No installed provider can make a step as the recipe asks for it."""

    code = "PROVIDER_UNSUPPORTED"
    title = "A provider cannot do this."
    remediation = "Choose a provider and a model that can make the step, or run with the mock."


class ModelUnpriced(BadInput):
    """Nobody knows what a step will cost, so no money is spent on it."""

    code = "PRICE_UNKNOWN"
    title = "There is no price for a model."
    remediation = "Choose a model that has a price, add it to the price book, or run with the mock."


class PriceOutdated(BadInput):
    """A price was verified too long ago to spend money by it."""

    code = "PRICE_STALE"
    title = "The price of a model is out of date."
    remediation = "Verify the price with the provider and renew its date in the price book, or run with the mock."


class Problems:
    """Notes problems and warnings by their place in the recipe, each once: the copies of a step have the same ones."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._noted: dict[type[BadInput], list[Problem]] = {}
        self.warnings: list[Problem] = []

    def note(self, kind: type[BadInput], path: str, message: str) -> None:
        """Something that forbids the plan."""
        self._add(self._noted.setdefault(kind, []), kind.code, path, message)

    def warn(self, code: str, path: str, message: str) -> None:
        """Something that the caller should know."""
        self._add(self.warnings, code, path, message)

    def raise_if_any(self) -> None:
        """Raise what was noted: what cannot be made goes before what cannot be priced."""
        for kind in (ProviderUnsupported, ModelUnpriced, PriceOutdated):
            problems = self._noted.get(kind)
            if problems:
                raise kind(problems[0].message, problems=problems)

    def _add(self, noted: list[Problem], code: str, path: str, message: str) -> None:
        problem = self._recipe.problem(code, path, message)
        if problem not in noted:
            noted.append(problem)
