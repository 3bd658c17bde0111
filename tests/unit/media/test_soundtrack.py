from decimal import Decimal
from pathlib import Path

import pytest

from media.probe import probe
from media.soundtrack import Audio
from media.stitch import stitch
from tests.unit.media.made import (
    encode,
    first_sound,
    loudness,
    lufs_and_peak,
    make_clip,
    make_tone,
    pixel_at,
    sound_seconds,
    tone_level,
)

OWN, TRACK = 440, 1000
LEVEL = 0.0884  # of a test tone, an eighth, after one channel became two of the same power


@pytest.fixture
def half_loud(tmp_path: Path) -> list[Path]:
    """A clip of two seconds with a tone, and one of two seconds without a sound."""
    return [
        make_clip(tmp_path / "loud.mp4", seconds=2, sound=f"sine=frequency={OWN}"),
        make_clip(tmp_path / "still.mp4", seconds=2, sound=None),
    ]


def _film(clips: list[Path], tracks: list[Path], **audio: object) -> Path:
    film = clips[0].with_name(f"film{len(list(clips[0].parent.iterdir()))}.mp4")
    stitch(clips, film, tracks=tracks, audio=Audio(**audio), quality="draft")
    return film


def _speech(path: Path, *, seconds: float = 6, volume_db: float = 0) -> Path:
    """Bursts of noise with pauses, about as uneven as a voice."""
    voice = f"anoisesrc=color=pink:seed=3:d={seconds}:r=44100,tremolo=f=1.5:d=0.9,volume={volume_db}dB"
    encode("-f", "lavfi", "-i", voice, str(path))
    return path


def test_kept_sound_stays_in_front_and_tracks_are_softer_while_it_lasts(tmp_path: Path, half_loud: list[Path]) -> None:
    music = make_tone(tmp_path / "m.wav", seconds=4, hertz=TRACK)

    kept = _film(half_loud, [music], mix="keep")

    beside = _film(half_loud, [music], mix="mix")
    under, full = (tone_level(film, TRACK, start=0.8, end=1.8) for film in (kept, beside))
    assert under < 0.4 * full
    assert tone_level(kept, OWN, start=0.8, end=1.8) == pytest.approx(LEVEL, rel=0.1)
    assert tone_level(kept, TRACK, start=3, end=3.4) == pytest.approx(LEVEL, rel=0.1)


def test_under_clips_without_sound_tracks_play_at_full_level(tmp_path: Path, half_loud: list[Path]) -> None:
    music = make_tone(tmp_path / "m.wav", seconds=2, hertz=TRACK)

    film = _film(half_loud[1:], [music], mix="keep")

    assert tone_level(film, TRACK, start=0.2, end=1.4) == pytest.approx(LEVEL, rel=0.05)


def test_replaced_sound_is_gone_and_the_track_is_there(tmp_path: Path, half_loud: list[Path]) -> None:
    music = make_tone(tmp_path / "m.wav", seconds=4, hertz=TRACK)

    film = _film(half_loud, [music], mix="replace")

    assert tone_level(film, OWN, start=0.2, end=1.8) < 0.002
    assert tone_level(film, TRACK, start=0.2, end=1.8) == pytest.approx(LEVEL, rel=0.05)


def test_clips_that_are_only_joined_stay_as_loud_as_they_are(tmp_path: Path) -> None:
    full = make_clip(tmp_path / "a.mp4", seconds=1, sound="aevalsrc=0.98*sin(2*PI*440*t)|0.98*sin(2*PI*440*t):s=48000")

    film = _film([full], [])

    before = tone_level(full, OWN, start=0.2, end=0.8)
    assert before > 0.9
    assert tone_level(film, OWN, start=0.2, end=0.8) == pytest.approx(before, rel=0.03)


def test_many_loud_tracks_do_not_clip(tmp_path: Path, half_loud: list[Path]) -> None:
    tone = "aevalsrc=0.9*sin(2*PI*{0}*t):d=4:s=48000"
    tracks = [tmp_path / f"{hertz}.wav" for hertz in (300, 500, 700)]
    for track in tracks:
        encode("-f", "lavfi", "-i", tone.format(track.stem), str(track))

    _, peak_db = lufs_and_peak(_film(half_loud, tracks, mix="mix"))

    assert peak_db < -0.8


@pytest.mark.parametrize(("target", "volume_db"), [(-9, 0), (-14, 0), (-14, -20), (-30.5, 0)])
def test_a_film_is_as_loud_as_it_was_asked_to_be(tmp_path: Path, target: float, volume_db: float) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=6, sound=None)
    voice = _speech(tmp_path / "v.wav", volume_db=volume_db)

    film = _film([silent], [voice], loudness_lufs=target)

    measured, peak_db = lufs_and_peak(film)
    assert measured == pytest.approx(target, abs=0.7)
    assert peak_db < 1.0  # -1.3 before the noise went through the smallest AAC
    assert probe(film).duration_s == Decimal("6.000")
    assert sound_seconds(film) == pytest.approx(6, abs=0.05)


def test_a_whisper_is_raised_by_thirty_decibels_and_no_more(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=6, sound=None)
    whisper = _speech(tmp_path / "v.wav", volume_db=-40)

    before, _ = lufs_and_peak(whisper)
    after, _ = lufs_and_peak(_film([silent], [whisper], loudness_lufs=-8))

    assert after - before == pytest.approx(30, abs=0.7)


@pytest.mark.parametrize("tracks", [0, 1])
def test_a_silent_film_stays_silent_whatever_loudness_is_asked_for(tmp_path: Path, tracks: int) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=1, sound=None)
    encode("-f", "lavfi", "-i", "anullsrc=r=22050:cl=mono", "-t", "1", str(tmp_path / "nothing.wav"))

    film = _film([silent], [tmp_path / "nothing.wav"] * tracks, loudness_lufs=-14)

    assert loudness(film) == 0


def test_a_film_too_short_to_be_measured_stays_as_it_is(tmp_path: Path) -> None:
    blink = make_clip(tmp_path / "a.mp4", seconds=0.25)

    film = _film([blink], [], loudness_lufs=-8)

    assert tone_level(film, OWN, start=0.05, end=0.2) == pytest.approx(LEVEL, rel=0.1)


def test_a_track_that_the_films_end_cuts_off_fades_out(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=4, sound=None)
    music = make_tone(tmp_path / "m.wav", seconds=9, hertz=TRACK)

    film = _film([silent], [music], fade_out_s=1)

    assert tone_level(film, TRACK, start=2.5, end=2.95) == pytest.approx(LEVEL, rel=0.05)
    assert tone_level(film, TRACK, start=3.4, end=3.6) == pytest.approx(LEVEL / 2, rel=0.2)
    assert tone_level(film, TRACK, start=3.9, end=3.99) < 0.015


def test_a_fade_takes_no_more_than_a_quarter_of_the_film(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=2, sound=None)
    music = make_tone(tmp_path / "m.wav", seconds=9, hertz=TRACK)

    film = _film([silent], [music], fade_out_s=10)

    assert tone_level(film, TRACK, start=1, end=1.45) == pytest.approx(LEVEL, rel=0.05)
    assert tone_level(film, TRACK, start=1.9, end=1.99) < 0.03


@pytest.mark.parametrize(("seconds", "fade_out_s"), [(2, 1), (9, 0)])
def test_a_track_that_ends_by_itself_is_not_faded_and_no_fade_is_none(
    tmp_path: Path, seconds: float, fade_out_s: float
) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=2, sound=None)
    voice = make_tone(tmp_path / "m.wav", seconds=seconds, hertz=TRACK)

    film = _film([silent], [voice], fade_out_s=fade_out_s)

    assert tone_level(film, TRACK, start=1.85, end=1.95) == pytest.approx(LEVEL, rel=0.05)


def test_single_clips_and_tracks_can_be_louder_or_softer(tmp_path: Path, half_loud: list[Path]) -> None:
    music = make_tone(tmp_path / "m.wav", seconds=4, hertz=TRACK)

    film = _film(half_loud, [music], mix="mix", volume_db={half_loud[0]: 6, music: -12})

    assert tone_level(film, OWN, start=0.2, end=1.8) == pytest.approx(2 * LEVEL, rel=0.05)
    assert tone_level(film, TRACK, start=0.2, end=1.8) == pytest.approx(LEVEL / 4, rel=0.05)


def test_picture_and_sound_stay_together_through_every_filter(tmp_path: Path) -> None:
    lead = make_clip(tmp_path / "lead.mp4", seconds=1.5, fps=30, color="black", sound=None)
    flash = "color=black:s=160x90:r=25:d=1[b];color=white:s=160x90:r=25:d=1[w];[b][w]concat"
    beep = "aevalsrc='if(gte(t,1),0.4*sin(2*PI*440*t),0)':s=22050:d=2"
    encode("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, "-shortest", str(tmp_path / "beep.mp4"))
    music = make_tone(tmp_path / "m.wav", seconds=5, hertz=TRACK)
    clips = [lead, lead, tmp_path / "beep.mp4"]

    film = _film(clips, [music], loudness_lufs=-20, volume_db={music: -60})

    assert first_sound(film, above=0.1) == pytest.approx(4, abs=0.02)
    assert pixel_at(film, 3.94)[0] < 60
    assert pixel_at(film, 4.02)[0] > 200


def test_sounds_of_any_rate_and_number_of_channels_are_mixed(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=1, sound=None)
    tracks = []
    for rate, channels, hertz in ((8000, 1, 300), (44100, 2, 600), (96000, 6, 900)):
        tracks.append(tmp_path / f"{rate}.wav")
        shape = ["-ar", f"{rate}", "-ac", f"{channels}"]
        encode("-f", "lavfi", "-i", f"sine=frequency={hertz}:duration=1:sample_rate=96000", *shape, str(tracks[-1]))

    film = _film([silent], tracks, mix="replace", fade_out_s=0)

    assert [tone_level(film, hertz, start=0.2, end=0.8) > 0.05 for hertz in (300, 600, 900)] == [True] * 3


@pytest.mark.parametrize(
    "options",
    [
        {"mix": "loud"},
        {"loudness_lufs": -37},
        {"loudness_lufs": -7.9},
        {"loudness_lufs": float("nan")},
        {"fade_out_s": -1},
        {"fade_out_s": 10.5},
        {"volume_db": {Path("a"): 21}},
        {"volume_db": {Path("a"): -61}},
    ],
)
def test_a_sound_that_nobody_can_want_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"There is no mix|is -?\d+ to -?\d+"):
        Audio(**options)
