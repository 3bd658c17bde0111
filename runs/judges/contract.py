"""What a judge promises: a verdict on one file, or an error. Silence is never a verdict.

JudgeError
├── JudgeUnavailable   it could not be asked, or did not answer: ask again later
└── JudgeRefused       it answered, and its answer is no verdict; or it will not be asked at all
    └── JudgeKeyRefused    its service does not take our key
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from core.errors import ZapsError

MAX_REMARKS = 500

Kind = Literal["png", "mp4", "wav"]
Rater = Literal["heuristic", "vlm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One file to be judged. `prompt` is what it was made from, `duration_s` the length that was asked for.

    `criteria` are the recipe's words. `beat` is called at least every few seconds while a judge works; what it
    raises comes out of the judge.
    """

    kind: Kind
    content_type: str
    path: Path
    prompt: str = field(default="", repr=False)
    duration_s: Decimal | None = None
    criteria: tuple[str, ...] = ()
    beat: Callable[[], None] = field(default=lambda: None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judge thinks. Scores are 0 (not at all) to 1 (in full).

    `unjudged` are the criteria that it could not look at. `remarks` is a short plain text of at most 500
    characters. `usd` is what looking cost; `cost_source` is reported, derived, quoted or none.
    """

    overall: Decimal
    scores: Mapping[str, Decimal]
    rater: Rater
    judge: str
    remarks: str = ""
    unjudged: tuple[str, ...] = ()
    usd: Decimal = Decimal(0)
    cost_source: str = "none"


class JudgeError(ZapsError):
    """There is no verdict. `usd` is what asking cost, or may have cost, by `cost_source`."""

    code: ClassVar[str] = "JUDGE_ERROR"
    title = "The judge gave no verdict."
    status = 502

    def __init__(
        self,
        detail: str = "",
        *,
        retry_after_s: float | None = None,
        usd: Decimal = Decimal(0),
        cost_source: str = "none",
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.usd = usd
        self.cost_source = cost_source

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.detail, self.retry_after_s, self.usd, self.cost_source))


def _rebuild(
    kind: type[JudgeError], detail: str, retry_after_s: float | None, usd: Decimal, cost_source: str
) -> JudgeError:
    return kind(detail, retry_after_s=retry_after_s, usd=usd, cost_source=cost_source)


class JudgeUnavailable(JudgeError):
    """It could not be reached, is busy, or did not answer in time."""

    code = "JUDGE_UNAVAILABLE"
    title = "The judge could not be asked, or did not answer."
    retryable = True
    remediation = "Try again later, or let a person decide; check ZAP_JUDGE_URL and its service."


class JudgeRefused(JudgeError):
    """It would not judge, or what it said is no verdict: unreadable, incomplete, or out of range."""

    code = "JUDGE_NO_VERDICT"
    title = "The judge answered, and its answer is no verdict."
    remediation = "Let a person decide; if it stays, choose another ZAP_JUDGE_MODEL or other criteria."


class JudgeKeyRefused(JudgeRefused):
    """Its service refused the key, or the account behind it is empty."""

    code = "JUDGE_KEY_REFUSED"
    title = "The judge's service refused the key, or its account is empty."
    remediation = "Set ZAP_JUDGE_KEY to a key of that service that has credit; until then let a person decide."


class Judge(Protocol):
    """Looks at files. Safe in any thread; never called inside a transaction.

    `name` is what it calls itself in a verdict, `kinds` are those of the files that it can look at, and `quote_usd`
    is what looking at one is thought to cost.
    """

    @property
    def name(self) -> str: ...

    @property
    def kinds(self) -> frozenset[str]: ...

    @property
    def quote_usd(self) -> Decimal: ...

    def judge(self, sample: Sample) -> Verdict:
        """A verdict on a file of one of the `kinds`.

        Raises JudgeUnavailable, JudgeRefused, and whatever `sample.beat` raises.
        """
