"""Who makes each planned step, with which model, and for how much."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from core.errors import BadInput, Problem
from core.money import ZERO
from providers.contract import Generation, Media, Provider
from providers.prices import PriceStale, PriceUnknown, Quote
from zaps.kind import KINDS
from zaps.planned import LOCAL, InputRef, PlannedStep, Role, Source
from zaps.recipe.errors import did_you_mean, shown
from zaps.recipe.schema import InputType, Recipe

DEFAULT_PROVIDER = "fal"
MOCK = "mock"


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


class Providers(Protocol):
    """The installed adapters."""

    def __contains__(self, name: object) -> bool: ...
    def __iter__(self) -> Iterator[Provider]: ...
    def get(self, name: str) -> Provider:
        """The adapter of that name."""


class Prices(Protocol):
    """What generations cost; `providers.prices.PriceBook` is one."""

    def quote(
        self,
        provider: str,
        model: str,
        *,
        duration_s: Decimal | None = None,
        characters: int | None = None,
        today: date,
    ) -> Quote:
        """The cost of one. Raises PriceUnknown, and PriceStale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Chooses for one plan, noting every problem. After the last step, `raise_if_any`."""

    recipe: Recipe
    values: Mapping[str, Any] = field(repr=False)
    mode: str
    override: str | None
    providers: Providers
    prices: Prices
    today: date
    warnings: list[Problem] = field(default_factory=list)
    _problems: dict[type[BadInput], list[Problem]] = field(default_factory=dict)
    _made_by: dict[str, str] = field(default_factory=dict)  # kind by planned id, of the steps so far

    def equip(self, index: int, step: PlannedStep) -> PlannedStep:
        """`step` with provider, model and quote; worth something only when nothing was noted."""
        self._made_by[step.step_id] = step.kind
        if step.provider == LOCAL:
            return step
        name, place = self._choose(index)
        if name not in self.providers:
            self._note(
                ProviderUnsupported,
                place,
                f"The provider {shown(name)} is not installed.{did_you_mean(name, self._installed())}",
            )
            return step
        spec = self.recipe.steps[index]
        model = (
            spec.model or self.recipe.default_models.get(step.kind) or self.providers.get(name).default_model(step.kind)
        )
        if model is None or self.providers.get(name).default_model(step.kind) is None:
            self._note(ProviderUnsupported, f"steps[{index}].kind", f"The provider {name} does not do {step.kind}.")
            return step
        chosen = replace(step, provider=name, model=model)
        for where, sentence in self.providers.get(name).check(self._generation(chosen)):
            self._note(ProviderUnsupported, f"steps[{index}].{where}", sentence)
        return replace(chosen, quote_usd=self._quote(index, chosen))

    def raise_if_any(self) -> None:
        """Raise what was noted: what cannot be made goes before what cannot be priced."""
        for kind in (ProviderUnsupported, ModelUnpriced, PriceOutdated):
            problems = self._problems.get(kind)
            if problems:
                raise kind(problems[0].message, problems=problems)

    def _choose(self, index: int) -> tuple[str, str]:
        """The provider's name, and the path of what named it."""
        if self.mode == MOCK:
            return MOCK, "mode"
        if self.override:
            return self.override, "provider"
        if self.recipe.steps[index].provider:
            return self.recipe.steps[index].provider or "", f"steps[{index}].provider"
        return self.recipe.default_provider or DEFAULT_PROVIDER, "defaults.provider"

    def _quote(self, index: int, step: PlannedStep) -> Decimal:
        if step.provider == MOCK:
            return ZERO
        path = f"steps[{index}].model"
        try:
            return self._ask(step, self.today)
        except PriceUnknown as exc:
            self._note(ModelUnpriced, path, exc.detail)
        except PriceStale as exc:
            if self.mode != "plan":
                self._note(PriceOutdated, path, exc.detail)
                return ZERO
            self._warn("PRICE_STALE", path, exc.detail)
            return self._ask(step, date.min)  # seen from then, no price is old
        return ZERO

    def _ask(self, step: PlannedStep, today: date) -> Decimal:
        characters = len(step.prompt)
        quote = self.prices.quote(
            step.provider, step.model or "", duration_s=step.duration_s, characters=characters, today=today
        )
        return quote.usd

    def _generation(self, step: PlannedStep) -> Generation:
        """What will be asked for; media that do not exist yet stand there as bytes."""
        media: dict[str, list[Media]] = {"image": [], "video": [], "audio": []}
        first_frame = None
        for ref in step.inputs:
            if ref.role == Role.FIRST_FRAME:
                first_frame = _promised("image/png")
            else:
                one = self._media(ref)
                media[one.content_type.split("/")[0]].append(one)
        return Generation(
            capability=step.kind, model=step.model or "", prompt=step.prompt, images=tuple(media["image"]),
            videos=tuple(media["video"]), audios=tuple(media["audio"]), first_frame=first_frame,
            duration_s=step.duration_s, aspect=step.aspect, params=step.params,
        )  # fmt: skip

    def _media(self, ref: InputRef) -> Media:
        if ref.source == Source.STEP:
            return _promised(_TYPES[KINDS.get(self._made_by[ref.name]).makes])
        content_type = "image/png" if self.recipe.inputs[ref.name].type == InputType.IMAGE else "video/mp4"
        value = str(self.values[ref.name])
        return (
            Media(content_type=content_type, url=value)
            if value.startswith(("https:", "mock:"))
            else _promised(content_type)
        )

    def _installed(self) -> list[str]:
        return [entry.name for entry in self.providers]

    def _note(self, kind: type[BadInput], path: str, message: str) -> None:
        noted = self._problems.setdefault(kind, [])
        problem = self._problem(kind.code, path, message)
        if problem not in noted:  # the copies of a repeated step have the same ones
            noted.append(problem)

    def _warn(self, code: str, path: str, message: str) -> None:
        problem = self._problem(code, path, message)
        if problem not in self.warnings:
            self.warnings.append(problem)

    def _problem(self, code: str, path: str, message: str) -> Problem:
        line, column = self.recipe.where.get(path) or self.recipe.where.get(path.rpartition(".")[0]) or (None, None)
        return Problem(code=code, message=message, line=line, column=column, path=path)


_TYPES = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav"}  # of what steps make


def _promised(content_type: str) -> Media:
    return Media(content_type=content_type, read=bytes)
