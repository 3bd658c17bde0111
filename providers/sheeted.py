"""What every vendor has in common whose models are listed as sheets."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from providers import sheet
from providers.contract import Generation, Media, Provider
from providers.sheet import ModelSheet, Sheets


class SheetedProvider(Provider):
    """Chooses and checks models by its sheets. `files_rule` is said of a file that `takes` refuses."""

    files_rule: ClassVar[str] = "The vendor cannot get at this file."
    #: the models, where they are not written in `models/<name>.toml`
    models: ClassVar[Sequence[ModelSheet]] = ()

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(base_url)
        own = Sheets((one.model, one) for one in self.models)
        self.sheets = own or sheet.load(self.name)

    def default_model(self, capability: str) -> str | None:
        return self.sheets.default(capability)

    def tier_model(self, capability: str, tier: str) -> str | None:
        return self.sheets.of_tier(capability, tier)

    def listed_models(self) -> Mapping[str, tuple[str, ...]]:
        return {name: model.makes for name, model in self.sheets.items()}

    def model_for(self, capability: str, model: str) -> str:
        return self.sheets.in_family(capability, model)

    def variant(self, model: str, params: Mapping[str, Any]) -> str:
        known = self.sheets.get(model)
        return known.variant(params) if known else ""

    def variants(self, model: str) -> tuple[str, ...]:
        known = self.sheets.get(model)
        return tuple(known.all_variants()) if known else ("",)

    def takes(self, file: Media) -> bool:
        """Can the vendor get at it?"""
        return file.is_fetchable

    def check(self, generation: Generation) -> list[tuple[str, str]]:
        model = self.sheets.get(generation.model)
        if model is None:
            return [("model", f"It is not known how {generation.model} wants to be asked.")]
        problems = model.check(generation)
        if not all(self.takes(file) for file in model.files(generation)):
            problems.append(("reference_images", self.files_rule))
        return problems
