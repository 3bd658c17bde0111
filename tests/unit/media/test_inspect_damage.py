"""A look at files that are damaged in part."""

import random
from decimal import Decimal
from pathlib import Path

import av
import pytest

from media.inspect import inspect
from tests.unit.media.made import make_clip, make_moving, make_tone

CLUSTER = b"\x1f\x43\xb6\x75"  # how matroska begins each of its parts


def test_a_clip_that_was_cut_off_does_not_decode_and_says_how_far_it_goes(tmp_path: Path) -> None:
    clip = make_moving(tmp_path / "whole.mp4", seconds=4, extra=("-movflags", "+faststart"))
    content = clip.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 6 // 10])

    seen = inspect(tmp_path / "cut.mp4")

    assert (seen.decodes, seen.duration_s) == (False, Decimal("4.000"))
    assert seen.decode_errors >= 1
    assert Decimal(1) < seen.seen_s < Decimal("3.5")


def test_damage_in_the_middle_is_counted(tmp_path: Path) -> None:
    clip = make_moving(tmp_path / "clip.mp4", seconds=2)
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 600] = random.Random(7).randbytes(600)
    clip.write_bytes(content)

    seen = inspect(clip)

    assert seen.decode_errors >= 1
    assert not seen.decodes


def test_a_clip_of_which_only_the_sound_decodes_has_nothing_to_see(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=1)
    with av.open(str(clip)) as container:
        pictures = [(entry.pos, entry.size) for entry in container.streams.video[0].index_entries]
    content = bytearray(clip.read_bytes())
    for start, size in pictures:
        content[start : start + size] = bytes(size)
    clip.write_bytes(content)

    seen = inspect(clip)

    assert (seen.kind, seen.decodes, seen.has_audio) == ("mp4", False, True)
    assert seen.silent_share < 0.05
    assert (seen.width, seen.black_share, seen.brightness, seen.longest_frozen_s, seen.is_flat) == (None,) * 5


def test_a_sound_that_was_cut_off_does_not_decode(tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "t.wav", seconds=4)
    content = tone.read_bytes()
    tone.write_bytes(content[: len(content) // 2])

    seen = inspect(tone)

    assert (seen.decodes, seen.decode_errors) == (False, 1)
    assert seen.seen_s == pytest.approx(Decimal(2), abs=Decimal("0.1"))


def test_a_header_that_promises_more_than_there_is_does_not_decode(tmp_path: Path) -> None:
    clip = make_moving(tmp_path / "clip.mkv", seconds=4, extra=("-cluster_time_limit", "500"))
    content = clip.read_bytes()
    clip.write_bytes(content[: content.rindex(CLUSTER, 0, len(content) // 2)])

    seen = inspect(clip)

    assert (seen.decodes, seen.decode_errors, seen.duration_s) == (False, 0, Decimal("4.000"))
    assert Decimal(1) <= seen.seen_s <= Decimal(3)
