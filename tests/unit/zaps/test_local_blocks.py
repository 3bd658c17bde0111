"""What a recipe says about steps of our own machine: read, refused, and planned."""

from decimal import Decimal

import pytest

from zaps.recipe import RecipeInvalid, parse
from zaps.recipe.schema import Audio, Keyframes

from .planning import plan, small
from .texts import SMALL, WORLD_CUP, changed

FILM = "    inputs: [clip]\n"
FRAMES = "---\n" + SMALL.partition("---\n")[2].replace(
    "  - id: film\n    kind: stitch\n", "  - id: film\n    kind: keyframes\n"
)


def film(block):
    return changed(SMALL, FILM, f"{FILM}    {block}\n")


def frames(block):
    return changed(FRAMES, FILM, f"{FILM}    {block}\n")


@pytest.mark.parametrize(
    ("block", "audio"),
    [
        ("audio: {}", Audio()),
        ("audio: {mix: mix}", Audio(mix="mix")),
        (
            "audio: {mix: keep, loudness: -14.5, fade_out_s: 0, volume_db: {clip: -6}}",
            Audio(mix="keep", loudness_lufs=Decimal("-14.5"), fade_out_s=Decimal(0), volume_db={"clip": Decimal(-6)}),
        ),
    ],
)
def test_the_sound_of_a_film_is_read(block, audio):
    assert parse(film(block), {}).steps[2].audio == audio


@pytest.mark.parametrize(
    ("block", "keyframes"),
    [
        ("keyframes: {count: 64}", Keyframes(count=64)),
        ("keyframes: {at: even, count: 2}", Keyframes(at="even", count=2)),
        ("keyframes: {at: last}", Keyframes(at="last")),
        ("keyframes: {every_s: 0.5}", Keyframes(every_s=Decimal("0.5"))),
    ],
)
def test_the_frames_to_take_are_read(block, keyframes):
    assert parse(frames(block), {}).steps[2].keyframes == keyframes


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        (film("audio: {mix: loud}"), "RECIPE_CHOICE", "steps[2].audio.mix"),
        (film("audio: {loudness: -37}"), "RECIPE_RANGE", "steps[2].audio.loudness"),
        (film("audio: {loudness: -7.5}"), "RECIPE_RANGE", "steps[2].audio.loudness"),
        (film("audio: {loudness: loud}"), "RECIPE_TYPE", "steps[2].audio.loudness"),
        (film("audio: {fade_out_s: 11}"), "RECIPE_RANGE", "steps[2].audio.fade_out_s"),
        (film("audio: {volume: 3}"), "RECIPE_UNKNOWN_KEY", "steps[2].audio.volume"),
        (film("audio: {volume_db: {clip: 21}}"), "RECIPE_RANGE", "steps[2].audio.volume_db.clip"),
        (film("audio: {volume_db: {still: 0}}"), "RECIPE_REF_UNKNOWN", "steps[2].audio.volume_db.still"),
        (film("audio: loud"), "RECIPE_TYPE", "steps[2].audio"),
        (frames("keyframes: {mode: optional}"), "RECIPE_UNKNOWN_KEY", "steps[2].keyframes.mode"),
        (frames("keyframes: {count: 65}"), "RECIPE_RANGE", "steps[2].keyframes.count"),
        (frames("keyframes: {at: best}"), "RECIPE_CHOICE", "steps[2].keyframes.at"),
        (frames("keyframes: {at: first, count: 2}"), "RECIPE_TYPE", "steps[2].keyframes"),
        (frames("keyframes: {every_s: 0.05}"), "RECIPE_RANGE", "steps[2].keyframes.every_s"),
        (frames("keyframes: {every_s: 1, count: 3}"), "RECIPE_TYPE", "steps[2].keyframes"),
        (frames("keyframes: {every_s: 1, at: last}"), "RECIPE_TYPE", "steps[2].keyframes"),
        (film("stitch: {fsp: 24}"), "RECIPE_UNKNOWN_KEY", "steps[2].stitch.fsp"),
    ],
)
def test_what_means_nothing_is_refused_by_name(text, code, path):
    with pytest.raises(RecipeInvalid) as caught:
        parse(text, {})

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [(code, path)]


def test_a_plan_holds_the_sound_as_the_film_needs_it():
    block = "audio: {loudness: -14, fade_out_s: 2.5, volume_db: {clip: -6.5}}"

    assert small(film(block), mode="mock").steps[2].params == {
        "loudness_lufs": -14.0, "fade_out_s": 2.5, "volume_db": {"clip": -6.5},
    }  # fmt: skip


def test_a_volume_counts_for_every_copy_of_a_step():
    text = changed(WORLD_CUP, "audio: {mix: keep}", "audio: {volume_db: {extend: -3, opening: 2}}")

    assert plan(text, extend_count=2).steps[-1].params["volume_db"] == {"extend_1": -3, "extend_2": -3, "opening": 2}


@pytest.mark.parametrize(
    ("block", "params"),
    [
        ("keyframes: {count: 2}", {"count": 2}),
        ("keyframes: {at: last}", {"at": "last"}),
        ("keyframes: {every_s: 0.5}", {"every_s": 0.5}),
        ("rlhf: false", {}),
    ],
)
def test_a_plan_holds_which_frames_to_take(block, params):
    assert small(frames(block), mode="mock").steps[2].params == params
