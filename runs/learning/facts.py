"""What the runs of one recipe add up to. Shares are 0 to 1; a median or a 95th percentile is a value that occurred."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How much of something it takes: dollars or seconds."""

    least: Decimal
    median: Decimal
    p95: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The runs by how they stand. `cost_usd` and `wall_s` are of those that are done; None where none is."""

    done: int
    failed: int
    canceled: int
    open: int
    total_usd: Decimal  # of all of them
    quote_usd: Decimal | None  # median of those that are done
    cost_usd: Spread | None
    wall_s: Spread | None

    @property
    def count(self) -> int:
        """All of them."""
        return self.done + self.failed + self.canceled + self.open


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What judges said: one score a result, the worst of theirs, 0 to 1. `passed`: None where no threshold is set."""

    count: int
    least: Decimal
    median: Decimal
    passed: int | None

    @property
    def passed_share(self) -> float | None:
        """0 to 1."""
        return None if self.passed is None else self.passed / self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What a person said with a vote, cut to a few lines."""

    vote: str  # up, down, or nothing
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Votes:
    """What people said. The newest comments first."""

    up: int = 0
    down: int = 0
    comments: tuple[Comment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFacts:
    """One step of the recipe, over all its runs, repetitions and permutations.

    A step that failed first and was made in the end is done; its failed attempts are counted as failures all the same.
    `retries` are the attempts beyond the candidates that it begins with; `choices` are the times that there was more
    than one result to choose from. `spec` is how the newest run planned it.
    """

    step: str
    kind: str
    done: int
    failed: int
    skipped: int
    attempts: int
    failures: Mapping[str, int]  # by code, the most frequent first
    retries: int
    by_fallback: int  # attempts that another provider or model made than was planned
    reused: int
    results: int
    choices: int
    first_chosen: int
    judge_failures: int
    cost_usd: Decimal
    cost_share: float
    seconds: Decimal
    time_share: float  # of the steps' time together, whether or not they ran side by side
    median_s: Decimal | None
    scores: Scores | None
    votes: Votes
    spec: Mapping[str, Any]

    @property
    def failed_attempts(self) -> int:
        """Attempts that ended with an error."""
        return sum(self.failures.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The live or the mock runs of a recipe. `estimate_usd` is the newest run's recipe's; None where it has none."""

    mode: str
    estimate_usd: Decimal | None
    runs: RunFacts
    votes: Votes  # on whole runs
    steps: tuple[StepFacts, ...]  # in recipe order
