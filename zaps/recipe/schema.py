"""A recipe, read and checked. Whoever holds a Recipe need not check its shape, ids or references again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.errors import Problem

#: names that a recipe may use; which of them are installed is known when a plan is made
KNOWN_PROVIDERS = ("aws", "comfyui", "fal", "gmi", "mock", "openrouter", "prodia", "replicate", "runware", "vertex")
REPEAT_AT_MOST = 64
TIERS = ("draft", "final")
UPSCALES = ("2x", "4x", "2k", "4k")


class InputType(StrEnum):
    """What a caller is asked for."""

    STRING = "string"  #: one line
    TEXTAREA = "textarea"  #: several lines
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    SELECT = "select"  #: one of `options`
    NUMBER = "number"

    @property
    def is_media(self) -> bool:
        """Whether its values are pictures, clips or sounds."""
        return self in (InputType.IMAGE, InputType.VIDEO, InputType.AUDIO)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """One question to the caller. `options` is filled for a select."""

    name: str
    type: InputType
    required: bool = False
    label: str | None = None
    hint: str | None = None
    options: tuple[str, ...] = ()


class Target(StrEnum):
    """What a reference points at."""

    INPUT = "input"
    STEP = "step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A checked reference. `every`: written `name.*`, all the steps that `name` expands to."""

    target: Target
    name: str
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """How many steps a repeatable step becomes."""

    min: int = 0
    max: int = REPEAT_AT_MOST
    default: int = 0

    def count(self, asked: int | None) -> int:
        """`asked`, or the default when nobody asked, kept between min and max."""
        return max(self.min, min(self.default if asked is None else asked, self.max))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Who looks at a result, and what is good enough. `threshold` is None where the recipe names none."""

    enabled: bool = True
    criteria: tuple[str, ...] = ()
    threshold: Decimal | None = None  # 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often a failed step is tried again: `max` further attempts."""

    max: int = 0
    backoff_s: Decimal = Decimal(0)
    fallback_provider: str | None = None
    fallback_model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateSpec:
    """How long a step waits for a person, and what happens then. None where the recipe does not say."""

    timeout_s: int | None = None
    on_timeout: str | None = None  # approve or reject


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstFrame:
    """What a clip begins with. `step` None: the last frame of the clip before it. `upscale`: 2x, 4x, 2k or 4k."""

    step: Ref | None = None
    upscale: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A step is made only if the input is given (or not), or is `one_of` these values: one of the two is set."""

    name: str
    given: bool | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stitch:
    """How clips are joined."""

    engine: str = "auto"
    format: str = "mp4"
    quality: str | None = None  # None: as the tier says, else standard
    fps: int | None = None
    template: str | None = None
    inputs: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What a film sounds like; None where the recipe does not say. `volume_db` is by the ids of steps."""

    mix: str | None = None  # keep, replace or mix
    loudness_lufs: Decimal | None = None
    fade_out_s: Decimal | None = None
    volume_db: Mapping[str, Decimal] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)  # what stands at a step that is no stitch


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyframes:
    """Which frames are taken of each clip; None where the recipe does not say. Never `every_s` beside another."""

    count: int | None = None
    at: str | None = None  # even, first, middle or last
    every_s: Decimal | None = None
    more: Mapping[str, Any] = field(default_factory=dict)  # what stands at a step that takes none


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """How a published film may be embedded elsewhere."""

    enabled: bool = True
    allow_origins: tuple[str, ...] = ("*",)
    width: int = 1280
    height: int = 720
    theme: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """How the recipe wants to appear in the catalogue."""

    slug: str | None = None
    visibility: str = "public"
    embed: Embed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """One step as written. None means that the recipe does not say; `prompt` is the text, wherever it came from."""

    id: str
    kind: str
    provider: str | None = None
    model: str | None = None
    prompt: str = field(default="", repr=False)
    prompt_file: str | None = None
    inputs: tuple[Ref, ...] = ()
    reference_images: tuple[Ref, ...] = ()
    needs: tuple[Ref, ...] = ()  # steps that must be done before, whose results are not used
    when: tuple[Condition, ...] = ()  # all must hold
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # one planned step for each permutation
    duration_s: Decimal | None = None
    aspect: str | None = None
    candidates: int | None = None
    judge: Judge | None = None
    gate: GateSpec | None = None
    retry: Retry | None = None
    repeat: Repeat | None = None
    extend_mode: str | None = None
    first_frame: FirstFrame | None = None
    keyframes: Keyframes | None = None
    stitch: Stitch | None = None
    audio: Audio | None = None
    rlhf: str | bool | None = None
    tier: str | None = None
    shared: bool | None = None
    on_unknown: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)  # the model's own fields
    extra: Mapping[str, Any] = field(default_factory=dict)  # x_…


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A whole recipe. Money is US dollars; `where` gives line and column of what stands in the file, by its path."""

    slug: str
    version: int
    description: str
    inputs: Mapping[str, InputSpec]
    cap_usd: Decimal
    estimate_usd: Decimal
    steps: tuple[StepSpec, ...]
    default_provider: str | None = None
    default_models: Mapping[str, str] = field(default_factory=dict)  # by kind, and by kind.tier
    default_on_unknown: str = "wait"
    aspect: str | None = None
    output: str | None = None  # the film's file name
    publish: Publish | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)  # x_…, lineage, compiled_from_run_id
    prompts: Mapping[str, str] = field(default_factory=dict, repr=False)  # every prompt file that came along
    where: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    def problem(self, code: str, path: str, message: str) -> Problem:
        """A problem with its place in the file: that of the path, or of the nearest part of it that was written."""
        near = path
        while near and near not in self.where:
            near = near[: max(near.rfind("."), near.rfind("["), 0)]
        line, column = self.where.get(near, (None, None)) if near else (None, None)
        return Problem(code=code, message=message, line=line, column=column, path=path)
