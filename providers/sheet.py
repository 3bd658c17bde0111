"""What a vendor's models can do, and what their fields are called: data, so that a new model is a few lines of TOML."""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

from providers.contract import Generation, Media
from providers.prices import variant_of

SCALE = "scale"  # of `params`: our word for how much larger a picture or clip is made
_FOLDER = Path(__file__).with_name("models")
_MATERIAL = "reference_images"
_FOR_THE_MOCK = "mock"  # of `params`: what a rehearsal should go through; no vendor is sent it

Complaint: TypeAlias = tuple[str, str]  # a field, and what is wrong with it


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSheet:
    """One model. A field name that is None does not exist there; `prompt` is empty where it takes no words.

    `default_for` lists what it is used for when a recipe names no model, `tier` (draft or final) when it names a tier,
    and `edit` is the model of the same family that makes a picture from another. `scales` maps our word for how much
    larger (2x, 4x, 2k, 4k) to the model's own fields.

    `duration_as`: number, whole (no part of a second), text ("5"), seconds_suffix ("8s") or milliseconds. `durations`
    lists what is allowed; where it is empty, `shortest_s` and `longest_s` bound it. `aspects` maps our word to the
    model's, or to several fields such as width and height; where there are none the result follows what goes in, and
    without that no shape can be asked for.

    `frame` is where the first frame of a clip goes if that is another field than the references'; then there is room
    for one or the others, not both. `always` are fields that are sent each time, unless `params` sets them. `sync`: the
    answer to the submission is the result, and takes as long. A name with a dot, such as "speech.text", lies inside
    another field.

    `variants` lists, for each field that changes the price, what it may be; the first is sent where nobody asks, and
    the price book has a price for every combination. `price_varies`: the cost depends on what nobody can know before,
    and its price is the dearest.
    """

    model: str
    makes: tuple[str, ...]
    default_for: tuple[str, ...] = ()
    tier: str | None = None
    edit: str | None = None
    prompt: str = "prompt"
    image: str | None = None  # takes one picture, or several where `images` is set as well
    images: str | None = None
    most_images: int | None = None
    frame: str | None = None
    needs_image: bool = False
    video: str | None = None  # these take one, `videos` and `audios` several
    videos: str | None = None
    most_videos: int | None = None
    needs_video: bool = False
    audio: str | None = None
    audios: str | None = None
    most_audios: int | None = None
    scales: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    duration: str | None = None
    duration_as: str = "number"
    durations: tuple[Decimal, ...] = ()
    shortest_s: Decimal | None = None
    longest_s: Decimal | None = None
    aspect: str | None = None
    aspects: Mapping[str, str | Mapping[str, Any]] = field(default_factory=dict)
    params: tuple[str, ...] = ()
    always: Mapping[str, Any] = field(default_factory=dict)
    variants: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    price_varies: bool = False
    sync: bool = False

    def check(self, generation: Generation) -> list[Complaint]:
        """Why this model cannot make it: (field, sentence) pairs; [] when it can."""
        problems = [
            *self._check_files(generation),
            *self._check_words(generation),
            *self._check_duration(generation),
            *self._check_aspect(generation),
            *self._check_params(generation.params),
        ]
        if generation.capability not in self.makes:
            problems.insert(0, ("model", f"{self.model} does not do {generation.capability}."))
        return problems

    def files(self, generation: Generation) -> tuple[Media, ...]:
        """Everything that goes in; `body` is given their addresses in this order."""
        return tuple(file for place in self._places(generation) for file in place.files)

    def body(self, generation: Generation, addresses: list[str]) -> dict[str, Any]:
        """The request in the model's own words, for files that lie at `addresses`."""
        own = {name: generation.params[name] for name in self.params if name in generation.params}
        body: dict[str, Any] = {**self.always, **own, **self._priced(generation.params)}
        body |= self.scales.get(str(generation.params.get(SCALE)), {})
        if self.prompt:
            body[self.prompt] = generation.prompt
        left = list(addresses)
        for place in self._places(generation):
            taken, left = left[: len(place.files)], left[len(place.files) :]
            if taken and place.several:
                body[place.several] = taken
            elif taken and place.one:
                body[place.one] = taken[0]
        if self.duration and generation.duration_s is not None:
            body[self.duration] = self._duration(generation.duration_s)
        body |= self._shape(generation.aspect)
        return _nested(body)

    def variant(self, params: Mapping[str, Any]) -> str:
        """Which of the model's prices counts for these."""
        return variant_of(self._priced(params))

    def all_variants(self) -> dict[str, dict[str, Any]]:
        """Everything that it has a price for, and the fields that it stands for."""
        combined = product(*self.variants.values())
        each = [dict(zip(self.variants, values, strict=True)) for values in combined]
        return {variant_of(fields): fields for fields in each}

    def _priced(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return {name: params.get(name, values[0]) for name, values in self.variants.items()}

    def _places(self, generation: Generation) -> tuple["_Place", ...]:
        """Where pictures, clips and sounds go. A first frame takes the place of the references if both do not fit."""
        frame, pictures = generation.first_frame, generation.images
        if frame is not None:
            pictures = (frame, *pictures) if self.images and not self.frame else (frame,)
        seen = _Place("picture", self.image, self.images, self.most_images, pictures)
        if frame is not None and self.frame:
            seen = _Place("picture", self.frame, None, None, pictures)
        return (
            seen,
            _Place("clip", self.video, self.videos, self.most_videos, generation.videos),
            _Place("sound", self.audio, self.audios, self.most_audios, generation.audios),
        )

    def _shape(self, aspect: str | None) -> Mapping[str, Any]:
        asked = self.aspects.get(aspect or "")
        if isinstance(asked, Mapping):
            return asked
        return {self.aspect: asked} if self.aspect and asked is not None else {}

    def _check_files(self, generation: Generation) -> list[Complaint]:
        places = self._places(generation)
        pictures, clips, sounds = (place.files for place in places)
        if self.needs_image and not pictures:
            return [(_MATERIAL, f"{self.model} needs a picture to start from.")]
        if self.needs_video and not clips:
            return [(_MATERIAL, f"{self.model} needs a clip to work on.")]
        if self.frame and generation.first_frame is not None and (clips or sounds):
            return [(_MATERIAL, f"{self.model} takes a first frame or references, not both.")]
        sentences = [place.complaint() for place in places]
        return [(_MATERIAL, f"{self.model} takes {sentence}") for sentence in sentences if sentence]

    def _check_words(self, generation: Generation) -> list[Complaint]:
        if self.prompt and not generation.prompt.strip():
            return [("prompt", f"{self.model} needs a prompt.")]
        if generation.prompt.strip() and not self.prompt:
            return [("prompt", f"{self.model} takes no prompt; leave it out.")]
        return []

    def _check_aspect(self, generation: Generation) -> list[Complaint]:
        if generation.aspect is None:
            return []
        if not self.aspects:
            follows = self.files(generation)
            return (
                [] if follows else [("aspect", f"{self.model} chooses the shape itself; it cannot be asked for one.")]
            )
        if generation.aspect not in self.aspects:
            return [("aspect", f"{self.model} makes {', '.join(self.aspects)}, not {generation.aspect}.")]
        return []

    def _check_params(self, params: Mapping[str, Any]) -> list[Complaint]:
        problems = []
        for name in params:
            if name == SCALE and params[name] not in self.scales:
                sentence = f"makes things larger by {', '.join(self.scales)}" if self.scales else "makes nothing larger"
                problems.append((f"params.{name}", f"{self.model} {sentence}."))
            elif name in self.variants:
                allowed = self.variants[name]
                if not any(type(one) is type(params[name]) and one == params[name] for one in allowed):
                    listed = " or ".join(json.dumps(one) for one in allowed)
                    problems.append((f"params.{name}", f"{self.model} has a price for {name} {listed} only."))
            elif name not in (SCALE, _FOR_THE_MOCK, *self.params):
                known = ", ".join([*self.params, *self.variants]) or "none"
                problems.append((f"params.{name}", f"{self.model} has no such field to set; it has: {known}."))
        return problems

    def _check_duration(self, generation: Generation) -> list[Complaint]:
        seconds = generation.duration_s
        if seconds is None:
            return []
        if self.duration is None and generation.capability.startswith("audio."):
            return [("duration_s", f"{self.model} is as long as its text asks for; leave it out.")]
        if self.duration_as == "whole" and seconds != int(seconds):
            return [("duration_s", f"{self.model} makes whole seconds, not {_plain(seconds)}.")]
        if self.durations and seconds not in self.durations:
            allowed = " or ".join(_plain(one) for one in self.durations)
            return [("duration_s", f"{self.model} makes {allowed} seconds, not {_plain(seconds)}.")]
        return self._check_limits(seconds)

    def _check_limits(self, seconds: Decimal) -> list[Complaint]:
        if self.shortest_s is not None and seconds < self.shortest_s:
            return [("duration_s", f"{self.model} makes at least {_plain(self.shortest_s)} seconds.")]
        if self.longest_s is not None and seconds > self.longest_s:
            return [("duration_s", f"{self.model} makes at most {_plain(self.longest_s)} seconds.")]
        return []

    def _duration(self, seconds: Decimal) -> int | float | str:
        match self.duration_as:
            case "text":
                return _plain(seconds)
            case "seconds_suffix":
                return f"{_plain(seconds)}s"
            case "milliseconds":
                return int(seconds * 1000)
            case _:
                return int(seconds) if seconds == int(seconds) else float(seconds)


@dataclass(frozen=True, slots=True)
class _Place:
    """What goes in of one class, and the fields for it: of a single file, or of `most` (None: no limit is known)."""

    word: str
    one: str | None
    several: str | None
    most: int | None
    files: tuple[Media, ...]

    def complaint(self) -> str:
        """What the model takes instead; "" when it takes these."""
        count = len(self.files)
        if count and not (self.one or self.several):
            return f"no {self.word}; choose a model that does, or leave it out."
        if count > 1 and not self.several:
            return f"one {self.word}, not {count}."
        return f"at most {self.most} {self.word}s, not {count}." if self.most and count > self.most else ""


class Sheets(dict[str, ModelSheet]):
    """A vendor's models, by name, in the order of the file."""

    def default(self, capability: str) -> str | None:
        """The model for whoever names none."""
        return self._first(sheet for sheet in self.values() if capability in sheet.default_for)

    def of_tier(self, capability: str, tier: str) -> str | None:
        """The model for a draft or a final result; None where there is none in particular."""
        return self._first(sheet for sheet in self.values() if sheet.tier == tier and capability in sheet.makes)

    def in_family(self, capability: str, model: str) -> str:
        """`model`, or what its family edits pictures with where that is asked for and it does not do so itself."""
        sheet = self.get(model)
        if sheet is None or sheet.edit is None or capability in sheet.makes:
            return model
        return sheet.edit if capability in self[sheet.edit].makes else model

    def _first(self, sheets: Iterable[ModelSheet]) -> str | None:
        return next((sheet.model for sheet in sheets), None)


def load(provider: str) -> Sheets:
    """The sheets of `models/<provider>.toml`."""
    tables = tomllib.loads((_FOLDER / f"{provider}.toml").read_text("utf-8"), parse_float=Decimal)
    return Sheets({model: _sheet(model, table) for model, table in tables.items()})


def _sheet(model: str, table: dict[str, Any]) -> ModelSheet:
    for name in ("makes", "default_for", "params"):
        table[name] = tuple(table.get(name, ()))
    table["variants"] = {name: tuple(values) for name, values in table.get("variants", {}).items()}
    table["durations"] = tuple(Decimal(one) for one in table.get("durations", ()))
    for name in ("shortest_s", "longest_s"):
        if name in table:
            table[name] = Decimal(table[name])
    return ModelSheet(model=model, **table)


def _nested(body: Mapping[str, Any]) -> dict[str, Any]:
    """`body` with what is called "speech.text" in the field "speech", as "text"."""
    made: dict[str, Any] = {}
    for name, value in body.items():
        outer, dot, inner = name.partition(".")
        if dot:
            made.setdefault(outer, {})[inner] = value
        else:
            made[name] = value
    return made


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
