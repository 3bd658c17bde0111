"""From a recipe and its inputs to single steps: copies counted out, references resolved, prompts filled in.

Steps that do not refer to each other have no order and may run in parallel. A step that goes on from a clip has that
clip's step as its parent, whether or not the recipe names it. A step whose `when` is not met is planned as skipped, and
references to it resolve to nothing.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.errors import Problem
from zaps.kind import KINDS
from zaps.planned import LOCAL, InputRef, PlannedStep, Retrying, Role, Source
from zaps.planning.conditions import are_met
from zaps.planning.oversight import Oversight
from zaps.recipe.check import makes_clip, of_input
from zaps.recipe.copies import frame_id, permutations, planned_ids, repeats
from zaps.recipe.prompts import fill_in
from zaps.recipe.schema import Recipe, Ref, StepSpec, Target

UPSCALE = "image.upscale"
_QUALITY_OF_TIER = {"draft": "draft", "final": "high"}


class Expansion:
    """The planned steps, in recipe order, each with the index of its spec. Provider, model and quote are still open."""

    def __init__(
        self, recipe: Recipe, values: Mapping[str, Any], *, extend_count: int | None, oversight: Oversight
    ) -> None:
        self._recipe, self._values, self._oversight = recipe, values, oversight
        self._texts = {name: value for name, value in values.items() if not recipe.inputs[name].type.is_media}
        self._ids: dict[str, list[str]] = {}  # planned ids by recipe id, exactly; none where it is not made
        self._makes: dict[str, str] = {}  # media class by planned id
        self._clips: list[str] = []  # planned ids of what can be extended, in order
        self._frames: dict[tuple[int, str], str] = {}  # by spec and what they are taken from: the larger first frames
        self.planned: list[tuple[int, PlannedStep]] = []
        self.problems: list[Problem] = []
        for index, spec in enumerate(recipe.steps):
            self._add(index, spec, planned_ids(spec, extend_count))

    def _add(self, index: int, spec: StepSpec, ids: list[str]) -> None:
        if not are_met(spec.when, self._values):
            self._ids[spec.id] = []
            for step_id in ids:
                self._put(index, spec, step_id, (), skipped=True)
            return
        self._ids[spec.id] = ids
        refs = self._resolve(spec.inputs, Role.INPUT) + self._resolve(spec.reference_images, Role.REFERENCE)
        self._check_material(index, spec, refs)
        before = self._beginning(index, spec, refs) if ids else None
        others = tuple(ref for ref in refs if ref.source != Source.STEP or ref.name != before)
        chosen = permutations(spec) if spec.matrix else ({} for _ in ids)
        for step_id, variables in zip(ids, chosen, strict=True):
            first = (self._first_frame(index, spec, step_id, before),) if before else ()
            self._put(index, spec, step_id, (*first, *others), variables)
            if repeats(spec) and spec.extend_mode != "anchored":
                before = step_id

    def _beginning(self, index: int, spec: StepSpec, refs: tuple[InputRef, ...]) -> str | None:
        """The planned step with whose (last) frame the first of them begins; None when it begins anew."""
        if not repeats(spec) and spec.first_frame is None:
            return None
        if spec.first_frame is not None and spec.first_frame.step is not None:
            found, asked = self._ids[spec.first_frame.step.name], [spec.first_frame.step]
            path = f"steps[{index}].first_frame.from"
        else:
            named = {ref.name for ref in refs if ref.source == Source.STEP}
            asked = [ref for ref in (*spec.inputs, *spec.reference_images) if self._is_clip(ref)]
            found = [clip for clip in self._clips if not asked or clip in named]
            path = f"steps[{index}].inputs"
        if not found:
            self._miss(path, f"{spec.id} goes on from a clip, and there is none", asked)
            return None
        return found[-1]

    def _first_frame(self, index: int, spec: StepSpec, step_id: str, before: str) -> InputRef:
        """The frame that `step_id` begins with: of `before`, or of a larger copy of its frame that is made first."""
        first = InputRef(source=Source.STEP, name=before, role=Role.FIRST_FRAME)
        if spec.first_frame is None or spec.first_frame.upscale is None:
            return first
        if (index, before) not in self._frames:
            self._frames[index, before] = frame_id(step_id)
            self._put_frame(index, spec, frame_id(step_id), first)
        return InputRef(source=Source.STEP, name=self._frames[index, before], role=Role.FIRST_FRAME)

    def _put_frame(self, index: int, spec: StepSpec, step_id: str, first: InputRef) -> None:
        scale = spec.first_frame.upscale if spec.first_frame else None
        step = PlannedStep(
            step_id=step_id,
            recipe_step=spec.id,
            position=len(self.planned),
            kind=UPSCALE,
            provider="",
            parents=(first.name,),
            inputs=(first,),
            aspect=spec.aspect or self._recipe.aspect,
            retry=_retrying(spec),
            shared=bool(spec.shared),
            on_unknown=spec.on_unknown or self._recipe.default_on_unknown,
            params={"scale": scale},
        )
        self.planned.append((index, step))
        self._makes[step_id] = "png"

    def _put(
        self,
        index: int,
        spec: StepSpec,
        step_id: str,
        refs: tuple[InputRef, ...],
        variables: Mapping[str, str] | None = None,
        *,
        skipped: bool = False,
    ) -> None:
        kind = KINDS.get(spec.kind)
        needed = () if skipped else [one for ref in spec.needs for one in self._ids[ref.name]]
        parents = dict.fromkeys([*(ref.name for ref in refs if ref.source == Source.STEP), *needed])
        step = PlannedStep(
            step_id=step_id,
            recipe_step=spec.id,
            position=len(self.planned),
            kind=spec.kind,
            provider=LOCAL if kind.render else "",
            prompt=fill_in(spec.prompt, {**self._texts, **(variables or {})}),
            parents=tuple(parents),
            inputs=refs,
            duration_s=spec.duration_s,
            aspect=(spec.aspect or self._recipe.aspect) if kind.shaped else None,
            candidates=spec.candidates or 1,
            retry=_retrying(spec),
            judge=self._oversight.judge(spec),
            gate=self._oversight.gate(spec),
            shared=bool(spec.shared),
            skipped=skipped,
            on_unknown=spec.on_unknown or self._recipe.default_on_unknown,
            params=_params(spec, self._ids),
        )
        self.planned.append((index, step))
        self._makes[step_id] = kind.makes
        if makes_clip(spec.kind) and not skipped:
            self._clips.append(step_id)

    def _resolve(self, refs: tuple[Ref, ...], role: Role) -> tuple[InputRef, ...]:
        found: list[InputRef] = []
        for ref in refs:
            if ref.target == Target.STEP:
                found += [InputRef(source=Source.STEP, name=step_id, role=role) for step_id in self._ids[ref.name]]
            elif ref.name in self._values and ref.name not in self._texts:
                media = str(self._recipe.inputs[ref.name].type)
                found.append(InputRef(source=Source.USER, name=ref.name, role=role, media=media))
        return tuple(found)

    def _check_material(self, index: int, spec: StepSpec, refs: tuple[InputRef, ...]) -> None:
        """Note a step that can do nothing because what it works on is not made."""
        wanted = KINDS.get(spec.kind).works_on
        asked = [ref for ref in (*spec.inputs, *spec.reference_images) if ref.target == Target.STEP]
        if wanted is None or not self._is_lost(asked):
            return
        made = {
            self._makes[ref.name] if ref.source == Source.STEP else of_input(self._recipe, ref.name) for ref in refs
        }
        if wanted not in made:
            field = "inputs" if spec.inputs else "reference_images"
            self._miss(f"steps[{index}].{field}", f"{spec.id} has nothing to work on", asked)

    def _is_clip(self, ref: Ref) -> bool:
        kinds = {step.id: step.kind for step in self._recipe.steps}
        return ref.target == Target.STEP and makes_clip(kinds[ref.name])

    def _is_lost(self, refs: list[Ref]) -> bool:
        return any(ref.target == Target.STEP and not self._ids[ref.name] for ref in refs)

    def _miss(self, path: str, sentence: str, refs: list[Ref]) -> None:
        names = ", ".join(ref.name for ref in refs if not self._ids[ref.name])
        reason = f", because its `when` is not met or its count is 0: {names}" if names else ""
        self.problems.append(self._recipe.problem("PLAN_MATERIAL_MISSING", path, f"{sentence}{reason}."))


def _retrying(spec: StepSpec) -> Retrying:
    return Retrying(max=spec.retry.max, backoff_s=spec.retry.backoff_s) if spec.retry else Retrying()


def _params(spec: StepSpec, ids: Mapping[str, list[str]]) -> dict[str, Any]:
    if KINDS.get(spec.kind).render is None:
        return dict(spec.params)
    given: dict[str, Any] = {"quality": _QUALITY_OF_TIER.get(spec.tier or "")}
    if spec.stitch is not None:
        quality = spec.stitch.quality or given["quality"] or "standard"
        given |= {"format": spec.stitch.format, "quality": quality, "fps": spec.stitch.fps}
    if spec.audio is not None:
        volumes = {one: float(volume) for name, volume in spec.audio.volume_db.items() for one in ids[name]}
        given |= {"mix": spec.audio.mix, "volume_db": volumes or None}
        given |= {"loudness_lufs": _number(spec.audio.loudness_lufs), "fade_out_s": _number(spec.audio.fade_out_s)}
    if spec.keyframes is not None:
        frames = spec.keyframes
        given |= {"count": frames.count, "at": frames.at, "every_s": _number(frames.every_s)}
    return {name: value for name, value in given.items() if value is not None}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
