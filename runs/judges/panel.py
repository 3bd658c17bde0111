"""Several verdicts on one file as one. No judge can lift what another one has seen to be bad."""

from collections.abc import Sequence
from decimal import Decimal

from runs.judges.contract import MAX_REMARKS, Verdict

#: The least certain source of a cost is that of a sum.
_LEAST_CERTAIN = ("quoted", "derived", "reported")


def combine(verdicts: Sequence[Verdict]) -> Verdict:
    """The worst opinion counts, whole and by score; a criterion is unjudged where nobody judged it.

    Costs are added. Raises ValueError for no verdicts.
    """
    if not verdicts:
        raise ValueError("There is nothing to combine.")
    scores: dict[str, Decimal] = {}
    for verdict in verdicts:
        for name, score in verdict.scores.items():
            scores[name] = min(score, scores.get(name, score))
    unjudged = dict.fromkeys(name for verdict in verdicts for name in verdict.unjudged)
    return Verdict(
        overall=min(verdict.overall for verdict in verdicts),
        scores=scores,
        rater="vlm" if any(verdict.rater == "vlm" for verdict in verdicts) else "heuristic",
        judge=", ".join(verdict.judge for verdict in verdicts),
        remarks=" ".join(verdict.remarks for verdict in verdicts if verdict.remarks)[:MAX_REMARKS],
        unjudged=tuple(name for name in unjudged if not any(name in _judged(verdict) for verdict in verdicts)),
        usd=sum((verdict.usd for verdict in verdicts), Decimal(0)),
        cost_source=_source(verdicts),
    )


def _judged(verdict: Verdict) -> set[str]:
    return set(verdict.scores) - set(verdict.unjudged)


def _source(verdicts: Sequence[Verdict]) -> str:
    sources = {verdict.cost_source for verdict in verdicts}
    return next((source for source in _LEAST_CERTAIN if source in sources), "none")
