"""What can be told of real media without taste."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from media.inspect import Inspection
from media.mock import mock_media
from runs.judges.contract import Sample
from runs.judges.heuristic import Heuristic, measure
from tests.unit.media.made import encode, make_clip, make_steps, make_tone

GOOD = Decimal("0.7")


def judge(path: Path, kind, *, asked=None, criteria=(), beat=lambda: None):
    asked = None if asked is None else Decimal(asked)
    sample = Sample(kind=kind, content_type="", path=path, duration_s=asked, criteria=criteria, beat=beat)
    return Heuristic().judge(sample)


def moving(path: Path, *, seconds=2, sound="sine=frequency=440") -> Path:
    heard = ["-f", "lavfi", "-i", sound] if sound else []
    encode(
        "-f", "lavfi", "-i", f"testsrc2=s=160x90:r=12:d={seconds}", *heard, "-t", str(seconds),
        "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", str(path),
    )  # fmt: skip
    return path


def test_a_clip_that_moves_and_sounds_is_fine(tmp_path):
    verdict = judge(moving(tmp_path / "a.mp4"), "mp4", asked=2)

    assert verdict.overall == 1
    assert set(verdict.scores) == {"decodes", "duration", "not_black", "not_frozen"}
    assert verdict.remarks == ""
    assert (verdict.rater, verdict.judge, verdict.usd, verdict.cost_source) == ("heuristic", "heuristic", 0, "none")


def test_what_it_cannot_measure_stays_unjudged(tmp_path):
    verdict = judge(moving(tmp_path / "a.mp4"), "mp4", criteria=("a fox", "calm light", "a fox"))

    assert verdict.unjudged == ("a fox", "calm light")
    assert "a fox" not in verdict.scores
    assert "duration" not in verdict.scores


def test_a_black_clip_never_passes(tmp_path):
    verdict = judge(make_clip(tmp_path / "a.mp4", color="black"), "mp4")

    assert verdict.scores["not_black"] == 0
    assert verdict.overall < GOOD
    assert "black" in verdict.remarks


def test_a_clip_that_stands_still_never_passes(tmp_path):
    verdict = judge(make_clip(tmp_path / "a.mp4", color="red", seconds=2), "mp4")

    assert verdict.scores["not_frozen"] < Decimal("0.2")
    assert verdict.overall < GOOD


def test_a_clip_that_freezes_halfway_is_half_as_good(tmp_path):
    clip = make_steps(tmp_path / "a.mp4", levels=[*range(40, 240, 10), *[240] * 20])

    assert Decimal("0.4") <= judge(clip, "mp4").overall <= Decimal("0.6")


def test_a_clip_without_sound_is_no_worse_for_it_but_it_is_said(tmp_path):
    verdict = judge(moving(tmp_path / "a.mp4", sound=None), "mp4")

    assert verdict.overall == 1
    assert verdict.remarks == "It has no sound."


def test_a_clip_with_silent_sound_is_no_worse_for_it_but_it_is_said(tmp_path):
    verdict = judge(moving(tmp_path / "a.mp4", sound="anullsrc=r=48000:cl=mono"), "mp4")

    assert verdict.overall == 1
    assert verdict.remarks == "Its sound is silent for more than half of the time."


@pytest.mark.parametrize(("asked", "score"), [("2.4", "1"), ("1.6", "1"), ("4", "0.5"), ("0.5", "0.25"), ("8", "0.25")])
def test_the_length_is_measured_by_what_was_asked_for(tmp_path, asked, score):
    verdict = judge(moving(tmp_path / "a.mp4"), "mp4", asked=asked)

    assert verdict.scores["duration"] == Decimal(score)
    assert verdict.overall == Decimal(score)


def test_half_a_file_does_not_decode(tmp_path):
    whole = moving(tmp_path / "a.mp4", seconds=3).read_bytes()
    encode("-i", str(tmp_path / "a.mp4"), "-c", "copy", "-movflags", "+faststart", str(tmp_path / "front.mp4"))
    front = (tmp_path / "front.mp4").read_bytes()
    for name, data in (("cut.mp4", whole[: len(whole) // 2]), ("cut_front.mp4", front[: len(front) // 2])):
        (tmp_path / name).write_bytes(data)

        verdict = judge(tmp_path / name, "mp4")

        assert verdict.scores["decodes"] == 0
        assert verdict.overall == 0


@pytest.mark.parametrize("content", [b"", b"<html>Sign in</html>", b"\x89PNG\r\n\x1a\nnothing"])
def test_no_media_at_all_is_the_worst_verdict_and_no_error(tmp_path, content):
    (tmp_path / "x").write_bytes(content)

    verdict = judge(tmp_path / "x", "png", criteria=("a fox",))

    assert verdict.overall == 0
    assert verdict.scores == {"decodes": 0}
    assert verdict.unjudged == ("a fox",)


@pytest.mark.parametrize(("color", "worst"), [("black", "not_black"), ("red", "not_flat")])
def test_a_still_of_one_colour_never_passes(tmp_path, color, worst):
    Image.new("RGB", (64, 64), color).save(tmp_path / "a.png")

    verdict = judge(tmp_path / "a.png", "png")

    assert verdict.scores[worst] == 0
    assert verdict.overall == 0


def test_a_still_with_something_on_it_is_fine(tmp_path):
    Image.linear_gradient("L").convert("RGB").save(tmp_path / "a.jpg")

    verdict = judge(tmp_path / "a.jpg", "png")

    assert verdict.overall == 1
    assert set(verdict.scores) == {"decodes", "not_black", "not_flat"}


def test_a_tone_is_fine(tmp_path):
    assert judge(make_tone(tmp_path / "a.wav", seconds=2), "wav", asked=2).scores == {
        "decodes": 1, "duration": 1, "not_silent": 1,
    }  # fmt: skip


def test_silence_never_passes(tmp_path):
    encode("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono:d=1", str(tmp_path / "a.wav"))

    verdict = judge(tmp_path / "a.wav", "wav")

    assert verdict.overall == 0
    assert verdict.remarks == "Much of it is silent."


@pytest.mark.parametrize("kind", ["png", "mp4", "wav"])
@pytest.mark.parametrize("seed", ["1", "a fox"])
def test_what_the_mock_makes_is_good_enough(tmp_path, kind, seed):
    (tmp_path / "x").write_bytes(mock_media(kind, seed=seed, label="A fox", duration_s=Decimal(3)))

    assert judge(tmp_path / "x", kind, asked=None if kind == "png" else 3).overall >= GOOD


def test_what_the_heartbeat_raises_comes_out(tmp_path, monkeypatch):
    monkeypatch.setattr("media.fence.BEAT_S", 0)

    class Lost(Exception):
        pass

    def beat():
        raise Lost

    with pytest.raises(Lost):
        judge(moving(tmp_path / "a.mp4"), "mp4", beat=beat)


@pytest.mark.parametrize(("made", "score"), [("11", "1"), ("9", "1"), ("11.2", "0.892"), ("8", "0.8")])
def test_a_tenth_more_or_less_than_asked_is_no_fault(made, score):
    found = Inspection(kind="mp4", duration_s=Decimal(made), seen_s=Decimal(made))

    assert measure(found, asked_s=Decimal(10))["duration"] == Decimal(score)


@pytest.mark.parametrize(("silent", "score"), [(0.0, "1"), (0.5, "1"), (0.75, "0.5"), (1.0, "0")])
def test_a_sound_may_pause_for_half_of_its_time(silent, score):
    found = Inspection(kind="wav", silent_share=silent)

    assert measure(found, asked_s=None)["not_silent"] == Decimal(score)


SHARE = st.none() | st.floats(0, 1)
SECONDS = st.decimals(0, 3600, places=3)


@given(
    found=st.builds(
        Inspection,
        kind=st.sampled_from(["png", "mp4", "wav"]),
        duration_s=st.none() | SECONDS,
        seen_s=st.none() | SECONDS,
        decode_errors=st.integers(0, 3),
        black_share=SHARE,
        longest_frozen_s=st.none() | SECONDS,
        is_flat=st.none() | st.booleans(),
        silent_share=SHARE,
        is_complete=st.booleans(),
    ),
    asked_s=st.none() | SECONDS,
)
def test_every_score_is_between_0_and_1_and_a_damaged_file_has_a_0(found, asked_s):
    scores = measure(found, asked_s=asked_s)

    assert all(0 <= score <= 1 for score in scores.values())
    assert (scores["decodes"] == 0) == (not found.decodes)
    assert "not_silent" not in scores or found.kind == "wav"
    assert "duration" not in scores or asked_s
