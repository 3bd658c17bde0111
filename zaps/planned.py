"""What planning yields: steps in an order that can be run, each with what it needs and what it will cost.

A planned step is stored with the run as JSON, so it must survive `to_json` and `from_json` unchanged.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.errors import Problem
from providers.prices import Price

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
    """One resolved reference: `name` is an input's name or a planned step's id.

    `media` is what the recipe declares an input to be, image, video or audio; "" of a step.
    """

    source: Source
    name: str
    role: Role = Role.INPUT
    media: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """Further tries after a failure that may pass: at most `max`, the first after `backoff_s`, each twice as late.

    Where a fallback is named, every further try is made there; `fallback_usd` is the quote of one.
    """

    max: int = 0
    backoff_s: Decimal = Decimal(0)
    fallback_provider: str | None = None
    fallback_model: str | None = None
    fallback_usd: Decimal = Decimal(0)
    fallback_price: Price | None = None

    @property
    def has_fallback(self) -> bool:
        """Is there somebody else to ask?"""
        return self.fallback_model is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A person must approve. After `timeout_s` the gate decides by itself; None: it waits for ever."""

    timeout_s: int | None = None
    on_timeout: str = "reject"  # or "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Results are looked at before they count. `threshold` is 0 to 1; `quote_usd` is for looking at one candidate.

    Where no result is good enough, or the judge cannot say, a person decides at the gate `hold`.
    """

    criteria: tuple[str, ...] = ()
    threshold: Decimal = Decimal("0.7")
    quote_usd: Decimal = Decimal(0)
    hold: Gate = field(default_factory=Gate)


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
    quote_usd: Decimal = Decimal(0)  # of one attempt
    price: Price | None = None  # by which it was quoted, as it was then; None where the book was not asked
    candidates: int = 1  # attempts that are made side by side; the best is chosen
    retry: Retrying = field(default_factory=Retrying)
    judge: Judging | None = None
    gate: Gate | None = None
    shared: bool = False  # a result of the same request in another run of the same owner is taken over
    skipped: bool = False  # its `when:` is not met: it is never made
    on_unknown: str = "wait"  # or "fail": what to do when a submission's fate cannot be told
    params: Mapping[str, Any] = field(default_factory=dict)  # stitch, audio, keyframes, …: what the kind reads

    @property
    def first_usd(self) -> Decimal:
        """What is held for it before it begins: every candidate, and looking at each."""
        each = self.quote_usd + (self.judge.quote_usd if self.judge else 0)
        return Decimal(0) if self.skipped else each * self.candidates

    @property
    def most_usd(self) -> Decimal:
        """What it costs where every further try is needed, at the dearer of its providers."""
        each = max(self.quote_usd, self.retry.fallback_usd) + (self.judge.quote_usd if self.judge else 0)
        return Decimal(0) if self.skipped else self.first_usd + each * self.retry.max

    def price_at(self, provider: str, model: str) -> Price | None:
        """The price that an attempt made there was quoted by."""
        known = (self.price, self.retry.fallback_price)
        return next((price for price in known if price and (price.provider, price.model) == (provider, model)), None)

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
            "inputs": [_plain_ref(ref) for ref in self.inputs],
            "duration_s": str(self.duration_s) if self.duration_s is not None else None,
            "aspect": self.aspect,
            "quote_usd": str(self.quote_usd),
            "price": _plain(self.price),
            "candidates": self.candidates,
            "retry": _plain(self.retry),
            "judge": _plain(self.judge),
            "gate": _plain(self.gate),
            "shared": self.shared,
            "skipped": self.skipped,
            "on_unknown": self.on_unknown,
            "params": dict(self.params),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PlannedStep":
        """The step that `to_json` wrote."""
        inputs = tuple(
            InputRef(**{**ref, "source": Source(ref["source"]), "role": Role(ref["role"])}) for ref in data["inputs"]
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
            candidates=data["candidates"],
            price=_price(data.get("price")),  # older runs have none
            retry=_retrying(data["retry"]),
            judge=_judging(data["judge"]),
            gate=Gate(**data["gate"]) if data["gate"] else None,
            shared=data["shared"],
            skipped=data["skipped"],
            on_unknown=data["on_unknown"],
            params=data["params"],
        )


def _plain_ref(ref: InputRef) -> dict[str, str]:
    return {"source": str(ref.source), "name": ref.name, "role": str(ref.role), "media": ref.media}


def _plain(part: Retrying | Judging | Gate | Price | None) -> dict[str, Any] | None:
    if part is None:
        return None
    values = asdict(part)
    return {name: _json(value) for name, value in values.items()}


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    if isinstance(value, Decimal | date):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def _decimals(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {**data, **{name: Decimal(data[name]) for name in names}}


def _price(data: Mapping[str, Any] | None) -> Price | None:
    if data is None:
        return None
    return Price(**{**_decimals(data, "usd"), "verified_at": date.fromisoformat(data["verified_at"])})


def _retrying(data: Mapping[str, Any]) -> Retrying:
    known = _decimals(data, "backoff_s", "fallback_usd")
    return Retrying(**{**known, "fallback_price": _price(data.get("fallback_price"))})


def _judging(data: Mapping[str, Any] | None) -> Judging | None:
    if data is None:
        return None
    known = _decimals(data, "threshold", "quote_usd")
    return Judging(**{**known, "criteria": tuple(data["criteria"]), "hold": Gate(**data["hold"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run will do, and what it will cost, before anything is done."""

    slug: str
    version: int
    mode: str  # plan | mock | live
    steps: tuple[PlannedStep, ...]
    inputs: Mapping[str, Any]  # checked values
    quote_usd: Decimal  # Σ of the steps' first_usd
    cap_usd: Decimal  # the recipe's, or the caller's where that is lower
    warnings: tuple[Problem, ...] = ()
    output: str = "Zap.mp4"  # the film's file name

    @property
    def most_usd(self) -> Decimal:
        """What it may cost with every further try: never more than the cap."""
        return min(sum((step.most_usd for step in self.steps), Decimal(0)), self.cap_usd)


def providers_of(steps: Iterable[PlannedStep]) -> set[str]:
    """Whoever these steps may be made by, fallbacks included, our own machine not."""
    made = [step for step in steps if not step.skipped and step.provider != LOCAL]
    return {step.provider for step in made} | {
        step.retry.fallback_provider or step.provider for step in made if step.retry.has_fallback
    }
