"""Who makes a step, and with which model."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from providers.contract import Provider
from zaps.planned import PlannedStep
from zaps.planning.problems import Problems, ProviderUnsupported
from zaps.recipe.errors import did_you_mean, shown
from zaps.recipe.schema import Recipe, StepSpec

DEFAULT_PROVIDER = "fal"
MOCK = "mock"


class Providers(Protocol):
    """The installed adapters."""

    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[Provider]: ...
    def get(self, name: str) -> Provider:
        """The adapter of that name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Answers for one plan; None after noting why there is no answer."""

    recipe: Recipe
    mode: str
    override: str | None
    providers: Providers
    problems: Problems

    def for_step(self, index: int, step: PlannedStep) -> tuple[str, str] | None:
        """Provider and model of a step that its recipe asks for."""
        spec = self.recipe.steps[index]
        name, place = self.provider_of(index)
        adapter = self._adapter(name, place, f"steps[{index}].kind", step.kind)
        model = self._model(index, spec, adapter) if adapter else None
        return (name, model) if model else None

    def for_frame(self, index: int, step: PlannedStep) -> tuple[str, str] | None:
        """Provider and model for making a first frame larger: the step's own provider, if it can; else another."""
        own = self.provider_of(index)[0]
        forced = self.mode == MOCK or self.override
        names = [own] if forced else [own, self.recipe.default_provider or own, DEFAULT_PROVIDER]
        for name in names:
            if name in self.providers and (model := self._usual(self.providers.get(name), step.kind)):
                return name, model
        sentence = f"{own} cannot make a picture larger, and no other provider that could is installed."
        self.problems.note(ProviderUnsupported, f"steps[{index}].first_frame.upscale", sentence)
        return None

    def fallback(self, index: int, step: PlannedStep) -> tuple[str, str, str] | None:
        """Provider and model of the further tries, and the path that names them; None where they change nothing."""
        retry = self.recipe.steps[index].retry
        if retry is None or not (retry.fallback_provider or retry.fallback_model):
            return None
        place = f"steps[{index}].retry.{'fallback_model' if retry.fallback_model else 'fallback_provider'}"
        forced = MOCK if self.mode == MOCK else self.override
        name = forced or retry.fallback_provider or step.provider
        adapter = self._adapter(name, f"steps[{index}].retry.fallback_provider", place, step.kind)
        if adapter is None:
            return None
        given = retry.fallback_model or (step.model if forced else None)
        model = adapter.model_for(step.kind, given) if given else self._usual(adapter, step.kind)
        return (name, model, place) if model else None

    def provider_of(self, index: int) -> tuple[str, str]:
        """The provider's name, and the path of what named it."""
        if self.mode == MOCK:
            return MOCK, "mode"
        if self.override:
            return self.override, "provider"
        if self.recipe.steps[index].provider:
            return self.recipe.steps[index].provider or "", f"steps[{index}].provider"
        return self.recipe.default_provider or DEFAULT_PROVIDER, "defaults.provider"

    def _adapter(self, name: str, place: str, kind_place: str, kind: str) -> Provider | None:
        if name not in self.providers:
            near = did_you_mean(name, [entry.name for entry in self.providers])
            self.problems.note(ProviderUnsupported, place, f"The provider {shown(name)} is not installed.{near}")
            return None
        adapter = self.providers.get(name)
        if adapter.default_model(kind) is None:
            self.problems.note(ProviderUnsupported, kind_place, f"The provider {name} does not do {kind}.")
            return None
        return adapter

    def _model(self, index: int, spec: StepSpec, adapter: Provider) -> str | None:
        if spec.model:
            return adapter.model_for(spec.kind, spec.model)
        if spec.tier is None:
            return self._usual(adapter, spec.kind)
        model = self.recipe.default_models.get(f"{spec.kind}.{spec.tier}")
        model = model or adapter.tier_model(spec.kind, spec.tier)
        if model is None:
            sentence = (
                f"{adapter.name} has no {spec.tier} model for {spec.kind}; "
                f"name one as `{spec.kind}.{spec.tier}` in defaults.models, or leave the tier out."
            )
            self.problems.note(ProviderUnsupported, f"steps[{index}].tier", sentence)
        return model and adapter.model_for(spec.kind, model)

    def _usual(self, adapter: Provider, kind: str) -> str | None:
        named = self.recipe.default_models.get(kind)
        return adapter.model_for(kind, named) if named else adapter.default_model(kind)
