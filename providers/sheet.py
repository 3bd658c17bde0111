"""What a vendor's models can do, and what their fields are called: data, so that a new model is a few lines of TOML."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from providers.contract import Generation, Media

_FOLDER = Path(__file__).with_name("models")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSheet:
    """One model. A field name that is None does not exist there.

    `duration_as`: number, text ("5"), seconds_suffix ("8s") or milliseconds. `durations` lists what is allowed; where
    it is empty, `shortest_s` and `longest_s` bound it. `aspects` maps our word to the model's; where there is no
    `aspect` field the result follows the picture that goes in.
    """

    model: str
    makes: tuple[str, ...]
    prompt: str = "prompt"
    image: str | None = None  # takes one picture, or several where `images` is set as well
    images: str | None = None
    needs_image: bool = False
    duration: str | None = None
    duration_as: str = "number"
    durations: tuple[Decimal, ...] = ()
    shortest_s: Decimal | None = None
    longest_s: Decimal | None = None
    aspect: str | None = None
    aspects: Mapping[str, str] = field(default_factory=dict)
    params: tuple[str, ...] = ()

    def check(self, generation: Generation) -> list[tuple[str, str]]:
        """Why this model cannot make it: (field, sentence) pairs; [] when it can."""
        problems = [*self._check_media(generation), *self._check_duration(generation.duration_s)]
        if generation.capability not in self.makes:
            problems.insert(0, ("model", f"{self.model} does not do {generation.capability}."))
        if not generation.prompt.strip():
            problems.append(("prompt", f"{self.model} needs a prompt."))
        if generation.aspect is not None and self.aspect is not None and generation.aspect not in self.aspects:
            problems.append(("aspect", f"{self.model} makes {', '.join(self.aspects)}, not {generation.aspect}."))
        return problems

    def pictures(self, generation: Generation) -> tuple[Media, ...]:
        """The pictures that go in: a first frame takes the place of the references where there is room for one."""
        if generation.first_frame is None:
            return generation.images
        return (generation.first_frame, *generation.images) if self.images else (generation.first_frame,)

    def body(self, generation: Generation, picture_urls: list[str]) -> dict[str, Any]:
        """The request in the model's own words, for pictures that lie at `picture_urls`."""
        body: dict[str, Any] = {name: generation.params[name] for name in self.params if name in generation.params}
        body[self.prompt] = generation.prompt
        if picture_urls and self.images:
            body[self.images] = picture_urls
        elif picture_urls and self.image:
            body[self.image] = picture_urls[0]
        if self.duration and generation.duration_s is not None:
            body[self.duration] = self._duration(generation.duration_s)
        if self.aspect and generation.aspect is not None:
            body[self.aspect] = self.aspects[generation.aspect]
        return body

    def _check_media(self, generation: Generation) -> list[tuple[str, str]]:
        count = len(self.pictures(generation))
        if self.needs_image and not count:
            return [("reference_images", f"{self.model} needs a picture to start from.")]
        if count and not (self.image or self.images):
            return [("reference_images", f"{self.model} takes no picture; choose a model that does, or leave it out.")]
        if count > 1 and not self.images:
            return [("reference_images", f"{self.model} takes one picture, not {count}.")]
        return []

    def _check_duration(self, seconds: Decimal | None) -> list[tuple[str, str]]:
        if seconds is None or self.duration is None:
            return []
        if self.durations and seconds not in self.durations:
            allowed = " or ".join(_plain(one) for one in self.durations)
            return [("duration_s", f"{self.model} makes {allowed} seconds, not {_plain(seconds)}.")]
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


def load(provider: str) -> dict[str, ModelSheet]:
    """The sheets of `models/<provider>.toml`, by model."""
    tables = tomllib.loads((_FOLDER / f"{provider}.toml").read_text("utf-8"), parse_float=Decimal)
    return {model: _sheet(model, table) for model, table in tables.items()}


def _sheet(model: str, table: dict[str, Any]) -> ModelSheet:
    for name in ("makes", "params"):
        table[name] = tuple(table.get(name, ()))
    table["durations"] = tuple(Decimal(one) for one in table.get("durations", ()))
    for name in ("shortest_s", "longest_s"):
        if name in table:
            table[name] = Decimal(table[name])
    return ModelSheet(model=model, **table)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
