"""What planning yields: steps in an order that can be run, each with what it needs and what it will cost.

A planned step is stored with the run as JSON, so it must survive `to_json` and `from_json` unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.errors import Problem

LOCAL = "local"  # the provider of step kinds that run on our own machine


class Source(StrEnum):
    """Where an input of a step comes from."""

    USER = "user"  #: a value that the caller gave
    STEP = "step"  #: the assets of an earlier step


class Role(StrEnum):
    """What a step does with an input."""

    INPUT = "input"  #: from `inputs`
    REFERENCE = "reference"  #: from `reference_images`
    FIRST_FRAME = "first_frame"  #: the last frame of an earlier clip starts this one


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRef:
    """One resolved reference: `name` is an input's name or a planned step's id."""

    source: Source
    name: str
    role: Role = Role.INPUT


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step to run. `step_id` is unique in the run; `recipe_step` is the id that stands in the recipe."""

    step_id: str
    recipe_step: str
    position: int  # 0-based, recipe order
    kind: str
    provider: str  # an adapter's name, or LOCAL
    model: str | None = None
    prompt: str = field(default="", repr=False)  # variables filled in
    parents: tuple[str, ...] = ()  # planned step ids that must be done first
    inputs: tuple[InputRef, ...] = ()
    duration_s: Decimal | None = None
    aspect: str | None = None
    quote_usd: Decimal = Decimal(0)
    on_unknown: str = "wait"  # or "fail": what to do when a submission's fate cannot be told
    params: Mapping[str, Any] = field(default_factory=dict)  # stitch, audio, keyframes, …: what the kind reads

    def to_json(self) -> dict[str, Any]:
        """Only JSON types; Decimals as strings."""
        return {
            "step_id": self.step_id,
            "recipe_step": self.recipe_step,
            "position": self.position,
            "kind": self.kind,
            "provider": self.provider,
            "model": self.model,
            "prompt": self.prompt,
            "parents": list(self.parents),
            "inputs": [{"source": str(ref.source), "name": ref.name, "role": str(ref.role)} for ref in self.inputs],
            "duration_s": str(self.duration_s) if self.duration_s is not None else None,
            "aspect": self.aspect,
            "quote_usd": str(self.quote_usd),
            "on_unknown": self.on_unknown,
            "params": dict(self.params),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PlannedStep":
        """The step that `to_json` wrote."""
        inputs = tuple(
            InputRef(source=Source(ref["source"]), name=ref["name"], role=Role(ref["role"])) for ref in data["inputs"]
        )
        return cls(
            step_id=data["step_id"],
            recipe_step=data["recipe_step"],
            position=data["position"],
            kind=data["kind"],
            provider=data["provider"],
            model=data["model"],
            prompt=data["prompt"],
            parents=tuple(data["parents"]),
            inputs=inputs,
            duration_s=Decimal(data["duration_s"]) if data["duration_s"] is not None else None,
            aspect=data["aspect"],
            quote_usd=Decimal(data["quote_usd"]),
            on_unknown=data["on_unknown"],
            params=data["params"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do and cost at most, before anything is done."""

    slug: str
    version: int
    mode: str  # plan | mock | live
    steps: tuple[PlannedStep, ...]
    inputs: Mapping[str, Any]  # checked values
    quote_usd: Decimal  # Σ of the steps
    cap_usd: Decimal  # the recipe's, or the caller's where that is lower
    warnings: tuple[Problem, ...] = ()
