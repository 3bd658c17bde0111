"""What people say of results: votes and scores, kept as rows."""

from collections.abc import Mapping

from core.again import again
from core.errors import BadInput, Problem
from runs.control.taking import COMMENT_AT_MOST, asset_of, named, steps_of, taking
from runs.models import Asset, Attempt, Feedback, Step
from runs.transitions import Moves

VOTES = ("up", "down")
KINDS = ("rlhf_vote", "aura_score")
_SCORES_AT_MOST = 32


@again
def give_feedback(
    run_id: str,
    *,
    actor: str,
    vote: str | None = None,
    scores: Mapping[str, float] | None = None,
    step_id: str | None = None,
    asset_id: str | None = None,
    comment: str = "",
    kind: str = "rlhf_vote",
) -> Feedback:
    """Keep a person's vote or scores on a run, a step or an asset. It moves nothing.

    Raises NotFound, and BadInput where nothing is said, or of something that is not there.
    """
    problems = _check(vote, scores or {}, comment, kind)
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    with taking(run_id, actor=actor) as moves:
        step = named(steps_of(moves), step_id) if step_id is not None else None
        asset = asset_of(step, asset_id, moves) if asset_id is not None else None
        said = {**(scores or {}), **({"vote": vote} if vote else {})}
        moves.said(kind, asset.asset_id if asset else step.step_id if step else run_id)
        return Feedback.objects.create(
            run_id=moves.run.pk,
            step=asset.step if asset else step,
            asset=asset,
            kind=kind,
            rater="human",
            scores=said,
            comment=comment,
            principal_id=actor,
        )


def vote(moves: Moves, step: Step, attempt: Attempt | None, *, up: bool, comment: str) -> None:
    """What a decision at a gate says of the result."""
    asset = Asset.objects.filter(attempt=attempt, index=0).first() if attempt else None
    Feedback.objects.create(
        run_id=moves.run.pk,
        step=step,
        asset=asset,
        kind="rlhf_vote",
        rater="human",
        scores={"vote": "up" if up else "down", "approved": up},
        comment=comment,
        principal_id=moves.actor,
    )


def _check(vote: str | None, scores: Mapping[str, float], comment: str, kind: str) -> list[Problem]:
    problems = []
    if vote is None and not scores and not comment.strip():
        problems.append(_problem("vote", "Say something: a vote, scores, or a comment."))
    if vote is not None and vote not in VOTES:
        problems.append(_problem("vote", "vote is up or down."))
    if kind not in KINDS:
        problems.append(_problem("kind", f"kind is one of {', '.join(KINDS)}."))
    if len(comment) > COMMENT_AT_MOST:
        problems.append(_problem("comment", f"A comment has at most {COMMENT_AT_MOST:,} characters."))
    if len(scores) > _SCORES_AT_MOST:
        problems.append(_problem("scores", f"At most {_SCORES_AT_MOST} scores."))
    problems += [
        _problem(f"scores.{str(name)[:40]}", "A score is a number from 0 to 1, under a name of at most 60 characters.")
        for name, score in scores.items()
        if not _is_score(name, score)
    ]
    return problems


def _is_score(name: object, score: object) -> bool:
    if not isinstance(name, str) or not 0 < len(name) <= 60 or name in {"vote", "approved"}:
        return False
    return isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1


def _problem(path: str, message: str) -> Problem:
    return Problem(code="FEEDBACK_INVALID", message=message, path=path)
