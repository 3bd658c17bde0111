"""What a recipe's runs show: as many queries for one run as for thousands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

from accounts.caller import Caller
from core.errors import BadInput
from core.money import ZERO
from runs import queries
from runs.learning import sums
from runs.learning.facts import Comment, Facts, RunFacts, Scores, Spread, StepFacts, Votes
from runs.learning.findings import Finding, find
from runs.models import Run, Step
from zaps import catalogue

RUNS_AT_MOST = 2_000

Key: TypeAlias = tuple[str, str, str]  # mode, name of the step in the recipe, kind
_TRIED = "attempts retries by_fallback reused results choices first_chosen judge_failures cost_usd".split()
_UNTRIED = {**dict.fromkeys(_TRIED, 0), "cost_usd": ZERO}
_COPIED = ("kind", "done", "failed", "skipped", "seconds", "median_s", *_TRIED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What the runs of one mode show, and what to change."""

    facts: Facts
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """`live` and `mock` are None where there are no such runs. `is_cut`: there are more, older ones."""

    slug: str
    days: int
    is_cut: bool
    live: Part | None
    mock: Part | None


def gather(slug: str, caller: Caller, *, days: int, now: datetime) -> Evidence:
    """The evidence of the caller's newest runs of the recipe, of the last `days`; staff see everybody's.

    Raises CallerUnknown, and NotFound where the caller has no such run and may see no such recipe.
    """
    since = now - timedelta(days=days)
    runs = queries.every_run_of(caller).filter(zap_slug=slug, started_at__gte=since).order_by("-started_at", "-id")
    pks = list(runs.values_list("pk", flat=True)[: RUNS_AT_MOST + 1])
    if not pks:
        catalogue.find(slug, caller.user)
    parts = {facts.mode: _part(facts) for facts in _add_up(pks[:RUNS_AT_MOST])}
    return Evidence(
        slug=slug, days=days, is_cut=len(pks) > RUNS_AT_MOST, live=parts.get("live"), mock=parts.get("mock")
    )


def _part(facts: Facts) -> Part:
    return Part(facts=facts, findings=tuple(find(facts)))


def _add_up(pks: Sequence[int]) -> list[Facts]:
    estimate, votes = _estimate(pks), _votes(pks)
    steps = _steps(pks, votes)
    return [
        Facts(
            mode=row["mode"],
            estimate_usd=estimate,
            runs=_runs(row),
            votes=votes.get((row["mode"], "", ""), Votes()),
            steps=tuple(step for mode, step in steps if mode == row["mode"]),
        )
        for row in sums.ask(sums.RUNS, pks)
    ]


def _estimate(pks: Sequence[int]) -> Decimal | None:
    """What the recipe of the newest run that is not deleted says; None where its text is no recipe any more."""
    there = Run.objects.filter(pk__in=pks, deleted_at=None).order_by("-started_at", "-id")
    run = there.only("source", "prompts").first()
    try:
        return catalogue.parse_cached(run.source, run.prompts).estimate_usd if run is not None else None
    except BadInput:
        return None


def _runs(row: dict[str, Any]) -> RunFacts:
    spreads = {"cost_usd": _spread(row["cost_usd"]), "wall_s": _spread(row["wall_s"])}
    return RunFacts(**{name: value for name, value in row.items() if name != "mode"} | spreads)


def _spread(values: Sequence[Decimal] | None) -> Spread | None:
    return Spread(least=values[0], median=values[1], p95=values[2]) if values else None


def _votes(pks: Sequence[int]) -> dict[Key, Votes]:
    comments: dict[Key, list[Comment]] = {}
    for row in sums.ask(sums.COMMENTS_OF_VOTES, pks):
        comments.setdefault(_key(row), []).append(Comment(vote=row["vote"], text=row["text"], at=row["at"]))
    return {
        _key(row): Votes(up=row["up"], down=row["down"], comments=tuple(comments.get(_key(row), ())))
        for row in sums.ask(sums.VOTES, pks)
    }


def _steps(pks: Sequence[int], votes: Mapping[Key, Votes]) -> list[tuple[str, StepFacts]]:
    """With the mode of each, in recipe order."""
    rows = sums.ask(sums.STEPS, pks)
    specs = dict(Step.objects.filter(pk__in=[row["newest"] for row in rows]).values_list("pk", "spec"))
    tried = {_key(row): row for row in sums.ask(sums.ATTEMPTS, pks)}
    scores = {_key(row): row for row in sums.ask(sums.SCORES, pks)}
    failures: dict[Key, dict[str, int]] = {}
    for row in sums.ask(sums.FAILURES, pks):
        failures.setdefault(_key(row), {})[row["error"]] = row["count"]
    whole = [{**row, **tried.get(_key(row), _UNTRIED)} for row in rows]
    return [
        (
            row["mode"],
            StepFacts(
                **{name: row[name] for name in _COPIED},
                step=row["name"],
                cost_share=_share("cost_usd", row, whole),
                time_share=_share("seconds", row, whole),
                failures=failures.get(_key(row), {}),
                scores=_scores(scores.get(_key(row))),
                votes=votes.get(_key(row), Votes()),
                spec=specs[row["newest"]],
            ),
        )
        for row in whole
    ]


def _share(name: str, row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> float:
    """Its part of what all rows of its mode have; 0 where they have nothing."""
    total = sum(one[name] for one in rows if one["mode"] == row["mode"])
    return float(row[name] / total) if total else 0.0


def _scores(row: Mapping[str, Any] | None) -> Scores | None:
    return Scores(**{name: row[name] for name in ("count", "least", "median", "passed")}) if row else None


def _key(row: Mapping[str, Any]) -> Key:
    return row["mode"], row["name"], row["kind"]
