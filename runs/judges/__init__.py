"""Who judges what a step made. See `contract` for what a judge promises.

A third party adds a judge by an entry point of the group `runs.judges`: a function that takes the run's mode and
returns a Judge, or None where it is not set up.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from importlib.metadata import entry_points

from django.conf import settings

from runs.judges.contract import Judge, JudgeError, JudgeRefused, JudgeUnavailable, Kind, Sample, Verdict
from runs.judges.heuristic import Heuristic
from runs.judges.panel import combine
from runs.judges.vlm import VisionModel

__all__ = [
    "Judge",
    "JudgeError",
    "JudgeRefused",
    "JudgeUnavailable",
    "Kind",
    "Sample",
    "Verdict",
    "combine",
    "judges_for",
    "quote_usd",
]


def judges_for(mode: str, kind: Kind) -> tuple[Judge, ...]:
    """All who look at a file of this kind in a run of this mode, in order: the heuristic first, it is free."""
    return tuple(judge for judge in _judges(mode) if kind in judge.kinds)


def quote_usd(mode: str) -> Decimal:
    """What looking at one candidate is thought to cost at most in this mode."""
    return sum((judge.quote_usd for judge in _judges(mode)), Decimal(0))


def _judges(mode: str) -> tuple[Judge, ...]:
    makers = (_vision_model, *_added())
    return (Heuristic(), *(judge for make in makers if (judge := make(mode)) is not None))


def _vision_model(mode: str) -> Judge | None:
    """Only a live run pays for a look, and nothing does where the mock is forced on every step."""
    if mode != "live" or settings.ZAP_PROVIDER == "mock" or not settings.ZAP_JUDGE_URL:
        return None
    return VisionModel(
        name=settings.ZAP_JUDGE_MODEL,
        url=settings.ZAP_JUDGE_URL,
        key=settings.ZAP_JUDGE_KEY,
        quote_usd=settings.ZAP_JUDGE_USD,
        usd_per_mtok_in=settings.ZAP_JUDGE_USD_PER_MTOK_IN,
        usd_per_mtok_out=settings.ZAP_JUDGE_USD_PER_MTOK_OUT,
        timeout_s=settings.ZAP_JUDGE_TIMEOUT_S,
    )


@cache
def _added() -> tuple[Callable[[str], Judge | None], ...]:
    return tuple(one.load() for one in entry_points(group="runs.judges"))
