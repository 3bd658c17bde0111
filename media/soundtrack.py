"""What a film sounds like: the clips' own sounds and the tracks, as one graph of ffmpeg's filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MIXES = ("keep", "replace", "mix")
LOUDNESS_LUFS = (-36, -8)  # from the softest to the loudest that can be asked for
FADE_OUT_S = (0, 10)
VOLUME_DB = (-60, 20)

_FORMAT = "aformat=sample_fmts=fltp:sample_rates=48000:channel_layouts=stereo"
_ADD = "normalize=0:duration=first"  # full level for each, as a mixer's faders at zero
# Under a voice of ordinary loudness, the tracks fall by some 12 dB; half a second after it they are back.
_DUCK = "sidechaincompress=threshold=0.02:ratio=10:attack=20:release=500"
# Ends one of the compressor's inputs, it forgets what it still has of the other; so both outlast the film.
_SPARE_S = 1
# Four times the samples, so that no peak between two of them is above -1.5 dB once a player has smoothed them.
_LIMIT = "aresample=192000,alimiter=limit=0.84:attack=5:release=50:level=0:latency=1,aresample=48000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Audio:
    """What a film maker decides about sound.

    `mix`: "keep" the clips' own sound in front, with the tracks under it (softer while the clips sound);
    "replace" it by the tracks; or "mix" both as they are. `loudness_lufs` is the whole film's integrated loudness
    (EBU R128; -36 to -8); None: as it comes. A track that the film's end cuts off is faded out over `fade_out_s`
    seconds (0 to 10), but never over more than a quarter of the film. `volume_db` (-60 to 20) makes the sound of
    single files, clips or tracks, louder or softer. Raises ValueError for anything else.
    """

    mix: str = "keep"
    loudness_lufs: float | None = None
    fade_out_s: float = 1.5
    volume_db: Mapping[Path, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mix not in MIXES:
            raise ValueError(f"There is no mix {self.mix!r}; there are: {', '.join(MIXES)}.")
        if self.loudness_lufs is not None:
            _check("A film's loudness in LUFS", self.loudness_lufs, LOUDNESS_LUFS)
        _check("A fade-out in seconds", self.fade_out_s, FADE_OUT_S)
        for volume in self.volume_db.values():
            _check("A volume in dB", volume, VOLUME_DB)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound of one of ffmpeg's inputs. `length_s`: a clip's time in the film; how long a track would play."""

    input: int
    length_s: float
    is_heard: bool = True
    volume_db: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundtrack:
    """The clips' sounds follow each other; the tracks all begin with the film."""

    clips: Sequence[Sound]
    tracks: Sequence[Sound]
    audio: Audio

    @property
    def length_s(self) -> float:
        """The film's length."""
        return sum(clip.length_s for clip in self.clips)

    @property
    def has_sound(self) -> bool:
        """Whether there is anything to hear at all."""
        return bool(self.tracks) or self._keeps_own

    def chains(self, gain_db: float = 0.0) -> list[str]:
        """The filters whose result is [sound], exactly as long as the film, made louder by `gain_db`."""
        chains = [*self._own(), *(self._track(track) for track in self.tracks)]
        names = "".join(f"[t{track.input}]" for track in self.tracks)
        if self.tracks and self.audio.mix == "keep":
            chains.append(f"{names}amix=inputs={len(self.tracks)}:{_ADD}[tracks]")
            chains.append(f"[own]asplit[front][end];[end]apad=pad_dur={_SPARE_S}[voice];[tracks][voice]{_DUCK}[under]")
            chains.append(f"[front][under]amix=inputs=2:{_ADD}[all]")
        else:
            chains.append(f"[own]{names}amix=inputs={len(self.tracks) + 1}:{_ADD}[all]")
        chains.append(f"[all]{self._level(gain_db)}apad,atrim=0:{self.length_s:.6f}[sound]")
        return chains

    @property
    def _keeps_own(self) -> bool:
        return self.audio.mix != "replace" and any(clip.is_heard for clip in self.clips)

    def _own(self) -> list[str]:
        if not self._keeps_own:
            return [f"anullsrc=r=48000:cl=stereo,atrim=0:{self.length_s:.6f},{_FORMAT}[own]"]
        chains = []
        for clip in self.clips:
            end = f"atrim=0:{clip.length_s:.6f},asetpts=PTS-STARTPTS[a{clip.input}]"
            if clip.is_heard:
                chains.append(f"{_begin(clip)},apad,{end}")
            else:
                chains.append(f"anullsrc=r=48000:cl=stereo,{_FORMAT},{end}")
        names = "".join(f"[a{clip.input}]" for clip in self.clips)
        return [*chains, f"{names}concat=n={len(self.clips)}:v=0:a=1[own]"]

    def _track(self, track: Sound) -> str:
        end = self.length_s
        fade_s = min(self.audio.fade_out_s, end / 4)
        # One that ends by itself has an end of its own, which a fade would swallow.
        fade = f",afade=t=out:st={end - fade_s:.6f}:d={fade_s:.6f}" if fade_s and track.length_s > end else ""
        return f"{_begin(track)},apad,atrim=0:{end + _SPARE_S:.6f}{fade}[t{track.input}]"

    def _level(self, gain_db: float) -> str:
        """Clips that are only joined stay exactly as loud as they are."""
        if not self.tracks and not gain_db and not any(clip.volume_db for clip in self.clips):
            return ""
        return f"volume={gain_db:.2f}dB,{_LIMIT},"


def _begin(sound: Sound) -> str:
    # first_pts=0 keeps a sound that begins after the picture where it is.
    return f"[{sound.input}:a:0]aresample=48000:async=1:first_pts=0,{_FORMAT},volume={sound.volume_db:.2f}dB"


def _check(what: str, value: float, bounds: tuple[int, int]) -> None:
    least, most = bounds
    if not least <= value <= most:
        raise ValueError(f"{what} is {least} to {most}.")
