"""One of Replicate's predictions, as the emulator keeps it: what it will come to, and what it shows until then."""

import re
from dataclasses import dataclass
from typing import Any

from providers.emulator.faults import Rule

_VIDEO = re.compile(r"video|veo|kling|seedance|aleph|wan|hailuo")
_AUDIO = re.compile(r"audio|speech|music|voice")
_SPAN = re.compile(r"(\d+)(h|m|s)?")


@dataclass(slots=True, kw_only=True)
class Prediction:
    """One accepted request. `rule` is the fault that its submission was hit by; times are the desk's clock's."""

    request_id: str
    model: str
    version: str
    input: dict[str, Any]
    made_at: float
    starts_at: float
    ends_at: float
    ending: str = "succeeded"
    error: str | None = None
    webhook: str | None = None
    rule: Rule | None = None

    @property
    def kind(self) -> str:
        """png, mp4 or wav, by the model's name."""
        return "mp4" if _VIDEO.search(self.model) else "wav" if _AUDIO.search(self.model) else "png"

    @property
    def count(self) -> int:
        """How many files it makes."""
        asked = self.input.get("num_outputs", 1)
        return asked if isinstance(asked, int) and 1 <= asked <= 4 else 1

    @property
    def does(self) -> str:
        """The fault that hit it; "" for none."""
        return self.rule.do if self.rule else ""

    def status(self, now: float) -> str:
        """In the vendor's words."""
        if now >= self.ends_at:
            return self.ending
        return "starting" if now < self.starts_at else "processing"

    @property
    def seconds(self) -> float:
        """The length that was asked for; 5 where nothing was."""
        found = re.match(r"[0-9.]+", str(self.input.get("duration", "")))
        return float(found[0]) if found else 5.0

    def spoil(self, *, within_s: float | None) -> None:
        """Decide what its fault, or its deadline, will make of it."""
        if self.does == "fail":
            said = self.rule.body if self.rule else None
            self.ending, self.error = "failed", str(said or "Prediction interrupted; please retry")
        elif self.does in ("aborted", "stopped"):
            self.ending = "aborted" if self.does == "aborted" else "canceled"
        if within_s is None or self.made_at + within_s >= self.ends_at:
            return
        self.ending = "aborted" if self.made_at + within_s < self.starts_at else "canceled"
        self.ends_at = self.made_at + within_s
        self.starts_at = min(self.starts_at, self.ends_at)

    def logs(self, status: str) -> str:
        """The vendor's logs repeat prompts; ours must not."""
        percent = 100 if status == "succeeded" else 40
        return f"Prompt: {self.input.get('prompt', '')}\n {percent}%|████      | {percent}/100 [00:01<00:01]\n"


def span(text: str | None) -> float | None:
    """Seconds of "90", "1m" or "1h30m"; None for nothing."""
    units = {"h": 3600, "m": 60, "s": 1, "": 1}
    return sum(int(number) * units[unit] for number, unit in _SPAN.findall(text or "")) or None


def is_complete(model: str, asked: dict[str, Any]) -> bool:
    """Is there what a model cannot do without: words, or for one that only enlarges, the file?"""
    return any(asked.get(name) for name in (("image", "video") if "upscale" in model else ("prompt", "text")))
