"""What can be told of a file without taste: does it play, is it as long as asked, is there anything to see or hear?

It looks at decoded pictures and sounds alone, and gives no score to what it cannot measure: the recipe's criteria
stay unjudged.
"""

from decimal import ROUND_FLOOR, Decimal

from media.errors import Unreadable
from media.fence import inspect
from media.inspect import Inspection
from runs.judges.contract import Sample, Verdict

_ZERO, _ONE = Decimal(0), Decimal(1)
_LENGTH_SLACK_S = Decimal("0.5")
_LENGTH_SLACK = Decimal("0.1")  # of what was asked for: models make whole numbers of frames, or of seconds
_PLACES = Decimal("0.001")
_SAID = {
    "decodes": "It is damaged, or ends before its end.",
    "duration": "It is not as long as was asked for.",
    "not_black": "Some of it is black.",
    "not_flat": "It is a single colour.",
    "not_frozen": "It stands still for some time.",
    "not_silent": "Much of it is silent.",
}


class Heuristic:
    """Free, local, and the same for the same file. The worst of its scores is its verdict."""

    name = "heuristic"
    kinds = frozenset({"png", "mp4", "wav"})
    quote_usd = _ZERO

    def judge(self, sample: Sample) -> Verdict:
        """A verdict on every file, a damaged one too."""
        try:
            found = inspect(sample.path, beat=sample.beat)
        except Unreadable:
            return _verdict({"decodes": _ZERO}, "It is no picture, clip or sound that can be decoded.", sample)
        scores = measure(found, asked_s=sample.duration_s)
        return _verdict(scores, " ".join(_remarks(found, scores)), sample)


def measure(found: Inspection, *, asked_s: Decimal | None) -> dict[str, Decimal]:
    """The scores, 0 to 1 each; only of what the file has. `asked_s` is the length that was asked for."""
    scores = {"decodes": _ONE if found.decodes else _ZERO}
    if asked_s and found.duration_s is not None:
        scores["duration"] = _length(found.duration_s, asked_s)
    if found.black_share is not None:
        scores["not_black"] = _floor(1 - found.black_share)
    if found.kind == "png" and found.is_flat is not None:
        scores["not_flat"] = _ZERO if found.is_flat else _ONE
    if found.longest_frozen_s is not None and found.seen_s:
        scores["not_frozen"] = _floor(1 - found.longest_frozen_s / found.seen_s)
    if found.kind == "wav" and found.silent_share is not None:
        # Speech and music pause: up to half of the time costs nothing.
        scores["not_silent"] = _floor(2 * (1 - found.silent_share))
    return scores


def _length(made_s: Decimal, asked_s: Decimal) -> Decimal:
    """1 within the slack; beyond it, how much of the longer one the shorter one is."""
    if abs(made_s - asked_s) <= max(_LENGTH_SLACK_S, asked_s * _LENGTH_SLACK):
        return _ONE
    return _floor(min(made_s, asked_s) / max(made_s, asked_s))


def _floor(share: float | Decimal) -> Decimal:
    """Rounded down, so that no rounding lifts a file over a threshold."""
    return min(max(Decimal(share), _ZERO), _ONE).quantize(_PLACES, ROUND_FLOOR)


def _remarks(found: Inspection, scores: dict[str, Decimal]) -> list[str]:
    said = [_SAID[name] for name, score in scores.items() if score < 1]
    if found.kind == "mp4" and not found.has_audio:
        said.append("It has no sound.")
    elif found.kind == "mp4" and found.silent_share is not None and found.silent_share > 0.5:
        said.append("Its sound is silent for more than half of the time.")
    if not found.is_complete:
        said.append(f"Only the first {found.seen_s} s were looked at.")
    return said


def _verdict(scores: dict[str, Decimal], remarks: str, sample: Sample) -> Verdict:
    return Verdict(
        overall=min(scores.values()),
        scores=scores,
        rater="heuristic",
        judge=Heuristic.name,
        remarks=remarks,
        unjudged=tuple(dict.fromkeys(sample.criteria)),
    )
