"""From the tree to the blocks of steps that run on our own machine: `stitch`, `audio` and `keyframes`."""

from collections.abc import Collection
from decimal import Decimal

from media.soundtrack import FADE_OUT_S, LOUDNESS_LUFS, MIXES, VOLUME_DB
from zaps.recipe.errors import did_you_mean, listed, shown
from zaps.recipe.fields import Field
from zaps.recipe.schema import Audio, Keyframes, Stitch

_PLACES = ("even", "first", "middle", "last")
_FRAMES_AT_MOST = 64
_EVERY_AT_LEAST_S = Decimal("0.1")
_EVERY_AT_MOST_S = 600


def read_stitch(place: Field) -> Stitch:
    """How clips are joined."""
    section = place.section()
    engine = one.choice(("auto", "local", "hyperframes")) if (one := section.get("engine")) else None
    form = one.choice(("mp4", "webm")) if (one := section.get("format")) else None
    quality = one.choice(("draft", "standard", "high")) if (one := section.get("quality")) else None
    fps = one.whole(least=1, most=120) if (one := section.get("fps")) else None
    template = one.text() if (one := section.get("template")) else None
    inputs = one.section().rest() if (one := section.get("inputs")) else None
    section.close()
    return Stitch(
        engine=engine or "auto", format=form or "mp4", quality=quality, fps=fps, template=template, inputs=inputs
    )


def read_audio(place: Field, steps: Collection[str]) -> Audio:
    """What a film sounds like; `steps` are those that it is made of."""
    section = place.section()
    mix = one.choice(MIXES) if (one := section.get("mix")) else None
    loudness = _within(one, LOUDNESS_LUFS) if (one := section.get("loudness")) else None
    fade_out = _within(one, FADE_OUT_S) if (one := section.get("fade_out_s")) else None
    volumes = _volumes(one, steps) if (one := section.get("volume_db")) else {}
    section.close()
    return Audio(mix=mix, loudness_lufs=loudness, fade_out_s=fade_out, volume_db=volumes)


def read_keyframes(place: Field) -> Keyframes:
    """Which frames are taken of each clip."""
    section = place.section()
    count = one.whole(least=1, most=_FRAMES_AT_MOST) if (one := section.get("count")) else None
    at = one.choice(_PLACES) if (one := section.get("at")) else None
    every = one.number(least=_EVERY_AT_LEAST_S, most=_EVERY_AT_MOST_S) if (one := section.get("every_s")) else None
    section.close()
    if every is not None and (count or at):
        other = "count" if count else "at"
        place.wrong("RECIPE_TYPE", f"{place.path} has every_s and {other}; leave one of them out.")
    elif count is not None and at not in (None, "even"):
        place.wrong("RECIPE_TYPE", f"{place.path} takes the {at} frame only; leave count out.")
    return Keyframes(count=count, at=at, every_s=every)


def _within(place: Field, bounds: tuple[int, int]) -> Decimal | None:
    return place.number(least=bounds[0], most=bounds[1])


def _volumes(place: Field, steps: Collection[str]) -> dict[str, Decimal]:
    volumes = {}
    for name, one in place.section().each():
        if name not in steps:
            near = did_you_mean(name, steps) or f" Its steps are: {listed(sorted(steps))}."
            one.wrong("RECIPE_REF_UNKNOWN", f"{place.path} names {shown(name)}, which the film is not made of.{near}")
        elif (volume := _within(one, VOLUME_DB)) is not None:
            volumes[name] = volume
    return volumes
