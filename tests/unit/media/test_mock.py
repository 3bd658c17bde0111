import threading
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from media import mock
from media.mock import mock_media
from media.probe import Probe, probe
from tests.unit.media.made import count_frames, loudness, pixel_at


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_mock_clip_is_a_real_clip_with_sound(tmp_path: Path) -> None:
    clip = _write(tmp_path / "a", mock_media("mp4", seed="a", label="Take one", width=320, height=180))

    assert probe(clip) == Probe(
        kind="mp4",
        content_type="video/mp4",
        width=320,
        height=180,
        duration_s=Decimal("3.000"),
        has_sound=True,
        fps=Decimal(24),
    )
    assert count_frames(clip) == 72
    assert loudness(clip, start=0.5, end=2.5) > 0.03


def test_a_mock_still_has_the_size_asked_for(tmp_path: Path) -> None:
    still = _write(tmp_path / "a", mock_media("png", seed="a", label="Hero", width=200, height=100))

    assert probe(still) == Probe(kind="png", content_type="image/png", width=200, height=100)


def test_a_mock_sound_is_audible_and_of_the_length_asked_for(tmp_path: Path) -> None:
    sound = _write(tmp_path / "a", mock_media("wav", seed="a", duration_s=Decimal("2.5")))

    assert (probe(sound).kind, probe(sound).duration_s) == ("wav", Decimal("2.500"))
    assert loudness(sound, start=0.5, end=2) > 0.03


@pytest.mark.parametrize("kind", ["png", "mp4", "wav"])
def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mock_media(kind, seed="one", width=160, height=90, duration_s=Decimal(1))
    other = mock_media(kind, seed="two", width=160, height=90, duration_s=Decimal(1))
    monkeypatch.setattr(mock, "CACHE_BYTES", 0)
    mock._keep(("png", "", "", 0, 0, Decimal(0)), b"")

    again = mock_media(kind, seed="one", width=160, height=90, duration_s=Decimal(1))

    assert again == first
    assert again is not first
    assert other != first


def test_the_picture_of_a_clip_moves(tmp_path: Path) -> None:
    clip = _write(tmp_path / "a", mock_media("mp4", seed="a", width=160, height=90, duration_s=Decimal(2)))

    assert pixel_at(clip, 0.0) != pixel_at(clip, 1.9)


def test_another_label_is_another_picture(tmp_path: Path) -> None:
    assert mock_media("png", seed="a", label="One") != mock_media("png", seed="a", label="Two")


@pytest.mark.parametrize("label", ["", "x" * 500, "word " * 200, "東京 🎬", "é\n\tü\x00", "%{pts} '; [a]"])
def test_any_label_can_be_drawn(tmp_path: Path, label: str) -> None:
    still = _write(tmp_path / "a", mock_media("png", seed="a", label=label, width=64, height=64))

    with Image.open(still) as image:
        image.load()
    assert image.size == (64, 64)


def test_sizes_and_lengths_out_of_bounds_are_clamped(tmp_path: Path) -> None:
    small = _write(tmp_path / "s", mock_media("mp4", seed="a", width=1, height=65, duration_s=Decimal(0)))
    wide = _write(tmp_path / "w", mock_media("png", seed="a", width=99999, height=100))
    long = _write(tmp_path / "l", mock_media("wav", seed="a", duration_s=Decimal(10_000)))

    assert (probe(small).width, probe(small).height, count_frames(small)) == (64, 64, 2)
    assert (probe(wide).width, probe(wide).height) == (1920, 100)
    assert probe(long).duration_s == Decimal("60.000")


def test_a_clip_longer_than_the_loop_of_light_is_whole(tmp_path: Path) -> None:
    clip = _write(tmp_path / "a", mock_media("mp4", seed="a", width=64, height=64, duration_s=Decimal(8)))

    assert count_frames(clip) == 192


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="png, mp4, wav"):
        mock_media("gif", seed="a")


def test_what_was_made_is_made_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make_slowly(key: tuple[str, ...]) -> bytes:
        made.append(key[1])
        threading.Event().wait(0.2)  # time enough for the others to come and find it being made
        return b"sound"

    monkeypatch.setitem(mock._MAKERS, "wav", make_slowly)
    threads = [threading.Thread(target=mock_media, args=("wav",), kwargs={"seed": "shared"}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert made == ["shared"]


def test_memory_is_bounded_and_the_oldest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(mock, "CACHE_BYTES", 250)
    monkeypatch.setitem(mock._MAKERS, "wav", lambda key: made.append(key[1]) or bytes(100))

    for seed in ("k1", "k2", "k1", "k3", "k1", "k2"):
        mock_media("wav", seed=seed)

    assert made == ["k1", "k2", "k3", "k2"]
