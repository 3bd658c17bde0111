"""Who makes each planned step, with which model, and for how much; asked of the adapters and the price book."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from providers import guard
from providers.contract import Generation, Media
from zaps.kind import KINDS
from zaps.planned import LOCAL, InputRef, PlannedStep, Role, Source
from zaps.planning.choice import Choice
from zaps.planning.problems import Problems, ProviderUnsupported
from zaps.planning.quotes import Quotes
from zaps.recipe.check import of_input
from zaps.recipe.schema import Recipe

logger = logging.getLogger(__name__)

_TYPES = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav"}  # of what steps make


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """Equips the steps of one plan, in order, noting every problem."""

    recipe: Recipe
    values: Mapping[str, Any] = field(repr=False)
    choice: Choice
    quotes: Quotes
    problems: Problems
    _made_by: dict[str, str] = field(default_factory=dict)  # kind by planned id, of the steps so far

    def equip(self, index: int, step: PlannedStep) -> PlannedStep:
        """`step` with provider, model, quote and fallback; worth something only when nothing was noted."""
        self._made_by[step.step_id] = step.kind
        if step.provider == LOCAL:
            return step
        if step.skipped:
            return replace(step, provider=self.choice.provider_of(index)[0])
        is_frame = step.kind != self.recipe.steps[index].kind
        chosen = (self.choice.for_frame if is_frame else self.choice.for_step)(index, step)
        if chosen is None:
            return step
        provider, model = chosen
        step = replace(step, provider=provider, model=model)
        frame_path = f"steps[{index}].first_frame.upscale" if is_frame else None
        for where, sentence in self._complaints(step):
            self.problems.note(ProviderUnsupported, frame_path or self._path(index, where), sentence)
        path = frame_path or f"steps[{index}].model"
        quote = self.quotes.quote(step, self._generation(step), path=path)
        step = replace(step, quote_usd=quote.usd, price=quote.price)
        return step if is_frame else self._with_fallback(index, step)

    def _with_fallback(self, index: int, step: PlannedStep) -> PlannedStep:
        found = self.choice.fallback(index, step)
        if found is None:
            return step
        provider, model, path = found
        other = replace(step, provider=provider, model=model)
        for _, sentence in self._complaints(other):
            self.problems.note(ProviderUnsupported, path, sentence)
        quote = self.quotes.quote(other, self._generation(other), path=path)
        retry = replace(
            step.retry,
            fallback_provider=provider,
            fallback_model=model,
            fallback_usd=quote.usd,
            fallback_price=quote.price,
        )
        return replace(step, retry=retry)

    def _complaints(self, step: PlannedStep) -> list[tuple[str, str]]:
        adapter, generation = self.choice.providers.get(step.provider), self._generation(step)
        try:
            return adapter.check(generation)
        except Exception:  # an adapter may be anybody's, and `params` hold whatever a recipe says
            logger.exception("provider=%s check=broken", step.provider)
            return [("provider", f"The adapter of {step.provider} broke while it was asked about this step.")]

    def _path(self, index: int, where: str) -> str:
        """The field of the recipe that an adapter's complaint is about."""
        spec = self.recipe.steps[index]
        if where == "aspect" and spec.aspect is None:
            return "defaults.aspect"
        if where == "reference_images" and spec.inputs and not spec.reference_images:
            return f"steps[{index}].inputs"
        return f"steps[{index}].{where}"

    def _generation(self, step: PlannedStep) -> Generation:
        """What will be asked for; media that do not exist yet, or that we shall fetch, stand there as bytes."""
        by_address = self.choice.providers.get(step.provider).fetches_files
        media: dict[str, list[Media]] = {"image": [], "video": [], "audio": []}
        first_frame = None
        for ref in step.inputs:
            if ref.role == Role.FIRST_FRAME:
                first_frame = _promised("image/png")
            else:
                one = self._media(ref, by_address=by_address)
                media[one.content_type.split("/")[0]].append(one)
        return Generation(
            capability=step.kind, model=step.model or "", prompt=step.prompt, images=tuple(media["image"]),
            videos=tuple(media["video"]), audios=tuple(media["audio"]), first_frame=first_frame,
            duration_s=step.duration_s, aspect=step.aspect, params=step.params,
        )  # fmt: skip

    def _media(self, ref: InputRef, *, by_address: bool) -> Media:
        if ref.source == Source.STEP:
            return _promised(_TYPES[KINDS.get(self._made_by[ref.name]).makes])
        content_type = _TYPES[of_input(self.recipe, ref.name) or "png"]
        value = str(self.values[ref.name])
        if value.startswith("mock:") or (
            value.startswith("https:") and (by_address or not guard.read(value).is_public)
        ):
            return Media(content_type=content_type, url=value)
        return _promised(content_type)


def _promised(content_type: str) -> Media:
    return Media(content_type=content_type, read=bytes)
