"""From the tree to a StepSpec: one step with all its blocks."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from zaps.kind import KINDS
from zaps.recipe.fields import Field
from zaps.recipe.prompts import read_prompt
from zaps.recipe.read_blocks import (
    read_aspect,
    read_first_frame,
    read_gate,
    read_judge,
    read_matrix,
    read_needs,
    read_when,
)
from zaps.recipe.read_local import read_audio, read_keyframes, read_stitch
from zaps.recipe.refs import Names, resolve
from zaps.recipe.schema import (
    REPEAT_AT_MOST,
    TIERS,
    Audio,
    InputSpec,
    Keyframes,
    Ref,
    Repeat,
    Retry,
    StepSpec,
    Target,
)
from zaps.recipe.tree import Scalar

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
_ID_RULE = "an id is 1 to 60 letters, digits, underscores and hyphens, and starts with a letter or digit"
_DURATION_AT_MOST_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReader:
    """Reads steps of one recipe."""

    inputs: Mapping[str, InputSpec]
    prompts: Mapping[str, str] = field(repr=False)
    providers: Collection[str]

    def read(self, place: Field, names: Names) -> StepSpec:
        """The step at `place`."""
        section = place.section()
        id_ = _id(section.need("id"))
        kind = (
            one.choice([kind.name for kind in KINDS], code="RECIPE_UNKNOWN_KIND")
            if (one := section.need("kind"))
            else None
        )
        matrix = read_matrix(one, self.inputs) if (one := section.get("matrix")) else {}
        variables = [*self.inputs, *matrix]
        prompt, file = read_prompt(one, self.prompts, variables) if (one := section.get("prompt")) else ("", None)
        duration = (
            one.number(least=0, most=_DURATION_AT_MOST_S, above=True) if (one := section.get("duration_s")) else None
        )
        inputs = _refs(section.get("inputs"), names)
        references = _refs(section.get("reference_images"), names)
        step = StepSpec(
            id=id_ or "",
            kind=kind or "",
            provider=self._provider(section.get("provider")),
            model=one.text() if (one := section.get("model")) else None,
            prompt=prompt,
            prompt_file=file,
            inputs=inputs,
            reference_images=references,
            needs=read_needs(one, names) if (one := section.get("needs")) else (),
            when=read_when(one, self.inputs) if (one := section.get("when")) else (),
            matrix=matrix,
            duration_s=duration,
            aspect=read_aspect(section.get("aspect")),
            candidates=one.whole(least=1, most=16) if (one := section.get("candidates")) else None,
            judge=read_judge(one) if (one := section.get("judge")) else None,
            gate=read_gate(one) if (one := section.get("gate")) else None,
            retry=self._retry(one) if (one := section.get("retry")) else None,
            repeat=_repeat(one) if (one := section.get("repeat")) else None,
            extend_mode=_extend(one) if (one := section.get("extend")) else None,
            first_frame=read_first_frame(one, names) if (one := section.get("first_frame")) else None,
            keyframes=_keyframes(one, kind) if (one := section.get("keyframes")) else None,
            stitch=read_stitch(one) if (one := section.get("stitch")) else None,
            audio=_audio(one, kind, (*inputs, *references)) if (one := section.get("audio")) else None,
            rlhf=_rlhf(section.get("rlhf")),
            tier=one.choice(TIERS) if (one := section.get("tier")) else None,
            shared=one.flag() if (one := section.get("shared")) else None,
            on_unknown=one.choice(("wait", "fail")) if (one := section.get("on_unknown")) else None,
            params=_record(section.get("params")) or {},
            extra=section.third_party(),
        )
        section.close()
        if kind in KINDS and KINDS.get(kind or "").needs_duration and section.get("duration_s") is None:
            place.wrong("RECIPE_DURATION_MISSING", f"A {kind} step needs duration_s: how many seconds it makes.")
        return step

    def _provider(self, one: Field | None) -> str | None:
        return one.choice(self.providers, code="RECIPE_UNKNOWN_PROVIDER") if one else None

    def _retry(self, place: Field) -> Retry:
        section = place.section()
        most = one.whole(least=0, most=8) if (one := section.get("max")) else None
        backoff = one.number(least=0, most=300) if (one := section.get("backoff_s")) else None
        provider = self._provider(section.get("fallback_provider"))
        model = one.text() if (one := section.get("fallback_model")) else None
        section.close()
        return Retry(max=most or 0, backoff_s=backoff or Decimal(0), fallback_provider=provider, fallback_model=model)


def _id(place: Field | None) -> str | None:
    if place is None:
        return None
    word = place.matching(ID, code="RECIPE_ID", rule=_ID_RULE)
    if word == "user":
        place.wrong("RECIPE_ID", 'A step cannot be called "user": references that start so mean inputs.')
    return word


def _refs(place: Field | None, names: Names) -> tuple[Ref, ...]:
    if place is None:
        return ()
    return tuple(ref for one in place.items() if (ref := resolve(one, names)) is not None)


def _record(place: Field | None) -> dict[str, Any] | None:
    if place is None:
        return None
    section = place.section()
    return section.rest()


def _repeat(place: Field) -> Repeat:
    section = place.section()
    least = one.whole(least=0, most=REPEAT_AT_MOST) if (one := section.get("min")) else None
    most = one.whole(least=0, most=REPEAT_AT_MOST) if (one := section.get("max")) else None
    default = one.whole(least=0, most=REPEAT_AT_MOST) if (one := section.get("default")) else None
    section.close()
    repeat = Repeat(min=least or 0, max=REPEAT_AT_MOST if most is None else most, default=default or 0)
    if repeat.min > repeat.max:
        place.wrong("RECIPE_REPEAT", f"{place.path} has min {repeat.min} above max {repeat.max}.")
    elif repeat.default > repeat.max:
        place.wrong("RECIPE_REPEAT", f"{place.path} has default {repeat.default} above max {repeat.max}.")
    return repeat


def _extend(place: Field) -> str | None:
    section = place.section()
    mode = one.choice(("chain", "anchored")) if (one := section.get("mode")) else None
    section.close()
    return mode


def _keyframes(place: Field, kind: str | None) -> Keyframes:
    """The block of another kind is kept unread: no run acts on it, and a plan says so."""
    return read_keyframes(place) if kind == "keyframes" else Keyframes(more=place.section().rest())


def _audio(place: Field, kind: str | None, refs: tuple[Ref, ...]) -> Audio:
    """As for keyframes."""
    if kind != "stitch":
        return Audio(more=place.section().rest())
    return read_audio(place, {ref.name for ref in refs if ref.target == Target.STEP})


def _rlhf(place: Field | None) -> str | bool | None:
    if place is None:
        return None
    if isinstance(place.node, Scalar) and place.node.text == "optional":
        return "optional"
    return place.flag()
