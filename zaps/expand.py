"""From a recipe and its inputs to single steps: repeats counted out, references resolved, prompts filled in.

Steps that do not refer to each other have no order and may run in parallel. A step that goes on from a clip has that
clip's step as its parent, whether or not the recipe names it.
"""

from collections.abc import Mapping
from typing import Any

from zaps.kind import KINDS
from zaps.planned import LOCAL, InputRef, PlannedStep, Role, Source
from zaps.recipe.check import expanded_ids, makes_clip
from zaps.recipe.prompts import fill_in
from zaps.recipe.schema import Recipe, Ref, Repeat, StepSpec, Target


def expand(recipe: Recipe, values: Mapping[str, Any], extend_count: int | None) -> list[tuple[int, PlannedStep]]:
    """Every step to run, in recipe order, each with the index of its spec. Provider, model and quote are still open."""
    texts = {name: value for name, value in values.items() if not recipe.inputs[name].type.is_media}
    expansion = _Expansion(recipe, values, texts, extend_count)
    for index, spec in enumerate(recipe.steps):
        expansion.add(index, spec)
    return expansion.planned


class _Expansion:
    def __init__(
        self, recipe: Recipe, values: Mapping[str, Any], texts: Mapping[str, Any], extend_count: int | None
    ) -> None:
        self._recipe, self._values, self._texts = recipe, values, texts
        self._extend_count = extend_count
        self._ids: dict[str, list[str]] = {}  # planned ids by recipe id, exactly
        self._clips: list[str] = []  # planned ids of what can be extended, in order
        self.planned: list[tuple[int, PlannedStep]] = []

    def add(self, index: int, spec: StepSpec) -> None:
        refs = self._resolve(spec.inputs, Role.INPUT) + self._resolve(spec.reference_images, Role.REFERENCE)
        if not KINDS.get(spec.kind).repeats:
            self._put(index, spec, spec.id, refs)
            self._ids[spec.id] = [spec.id]
            return
        count = (spec.repeat or Repeat()).count(self._extend_count)
        self._ids[spec.id] = expanded_ids(spec, count)
        named = {ref.name for ref in refs if ref.source == Source.STEP}
        before = next((clip for clip in reversed(self._clips) if clip in named), None) or self._clips[-1]
        others = tuple(ref for ref in refs if ref.source != Source.STEP or ref.name != before)
        for step_id in self._ids[spec.id]:
            first = InputRef(source=Source.STEP, name=before, role=Role.FIRST_FRAME)
            self._put(index, spec, step_id, (first, *others))
            before = step_id

    def _put(self, index: int, spec: StepSpec, step_id: str, refs: tuple[InputRef, ...]) -> None:
        parents = dict.fromkeys(ref.name for ref in refs if ref.source == Source.STEP)
        step = PlannedStep(
            step_id=step_id,
            recipe_step=spec.id,
            position=len(self.planned),
            kind=spec.kind,
            provider=LOCAL if KINDS.get(spec.kind).render else "",
            prompt=fill_in(spec.prompt, self._texts),
            parents=tuple(parents),
            inputs=refs,
            duration_s=spec.duration_s,
            aspect=self._recipe.aspect,
            on_unknown=spec.on_unknown or self._recipe.default_on_unknown,
            params=_params(spec),
        )
        self.planned.append((index, step))
        if makes_clip(spec.kind):
            self._clips.append(step_id)

    def _resolve(self, refs: tuple[Ref, ...], role: Role) -> tuple[InputRef, ...]:
        found: list[InputRef] = []
        for ref in refs:
            if ref.target == Target.STEP:
                found += [InputRef(source=Source.STEP, name=step_id, role=role) for step_id in self._ids[ref.name]]
            elif ref.name in self._values and ref.name not in self._texts:
                found.append(InputRef(source=Source.USER, name=ref.name, role=role))
        return tuple(found)


def _params(spec: StepSpec) -> dict[str, Any]:
    if KINDS.get(spec.kind).render is None:
        return dict(spec.params)
    given: dict[str, Any] = {}
    if spec.stitch is not None:
        given |= {"format": spec.stitch.format, "quality": spec.stitch.quality, "fps": spec.stitch.fps}
    given |= {"mix": (spec.audio or {}).get("mix"), "count": (spec.keyframes or {}).get("count")}
    return {name: value for name, value in given.items() if value is not None}
