"""What is noticed in pictures and sounds, whatever they are."""

from array import array
from fractions import Fraction

import av
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from media.hearing import Hearing
from media.sight import Sight, Sighting, small_picture

_BASE = Fraction(1, 1000)


def _frame(level: int, at_ms: int | None, length_ms: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_image(Image.new("RGB", (32, 18), (level, level, level)))
    frame.pts, frame.time_base, frame.duration = at_ms, _BASE, length_ms
    return frame


@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 3000), st.integers(0, 500)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_shares_are_shares_and_no_stretch_is_longer_than_the_clip(frames: list[tuple[int, int, int]]) -> None:
    sight, now = Sight(), 7000
    for level, gap_ms, length_ms in frames:
        sight.see(_frame(level, now, length_ms))
        now += gap_ms
    sight.end()

    assert 0 <= sight.black_share <= 1
    assert 0 <= sight.brightness <= 1
    assert 0 <= sight.longest_frozen_s <= sight.seen_s
    assert sight.is_flat


def test_a_clip_that_does_not_begin_at_zero_is_as_long_as_it_is_shown() -> None:
    sight = Sight()
    for at_ms in range(5000, 7000, 100):
        sight.see(_frame(90, at_ms, 100))
    sight.end()

    assert (round(sight.seen_s, 6), round(sight.longest_frozen_s, 6)) == (2, 2)


def test_frames_without_a_time_follow_each_other() -> None:
    sight = Sight()
    for _ in range(10):
        sight.see(_frame(90, None, 100))
    sight.end()

    assert round(sight.seen_s, 6) == 1


def test_one_frame_of_no_length_is_still_a_look() -> None:
    sight = Sight()
    sight.see(_frame(0, 0, 0))
    sight.end()

    assert (sight.looks, sight.seen_s, sight.longest_frozen_s, sight.is_flat) == (1, 0, 0, True)
    assert (sight.black_share, sight.brightness) == (1, 0)


@given(st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_one_colour_is_as_bright_as_it_is(level: int) -> None:
    seen = Sighting.of(small_picture(Image.new("RGB", (64, 36), (level, level, level))))

    assert round(seen.brightness * 255) == level
    assert seen.is_black is (level < 26)
    assert seen.is_flat


def _sound(samples: list[int], rate: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples))
    frame.planes[0].update(array("h", samples).tobytes().ljust(frame.planes[0].buffer_size, b"\0"))
    frame.sample_rate = rate
    return frame


@given(st.lists(st.lists(st.integers(-32768, 32767), min_size=1, max_size=400), min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_the_silent_share_is_a_share(pieces: list[list[int]]) -> None:
    hearing = Hearing()
    for samples in pieces:
        hearing.hear(_sound(samples, 8000))

    assert abs(hearing.heard_s - sum(map(len, pieces)) / 8000) < 1e-9
    assert 0 <= hearing.silent_share(0) <= 1
    assert hearing.silent_share(hearing.heard_s * 2) >= 0.5 - 1e-9


def test_a_sound_may_change_its_rate_on_the_way() -> None:
    hearing = Hearing()
    hearing.hear(_sound([0] * 8000, 8000))
    hearing.hear(_sound([0, 20000] * 22050, 44100))

    assert (hearing.heard_s, hearing.silent_share(0)) == (2, 0.5)


def test_nothing_heard_is_silence() -> None:
    assert Hearing().silent_share(0) == 1
