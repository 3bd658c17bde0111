"""Empty a run of everything but its numbers. What is not named here as kept must be emptied here."""

from django.db import connection

from accounts import idempotency
from accounts.vault.keeping import forget_requests
from core.again import again
from core.errors import Conflict
from runs import dispatch, heralds
from runs.control.taking import taking
from runs.deletion import files
from runs.models import Attempt, RunInput, RunShare, Webhook
from runs.neighbours import neighbours
from runs.queries import RunDeleted
from runs.states import ATTEMPT_FINAL, RUN_FINAL
from runs.transitions import Moves


class RunNotOver(Conflict):
    """Something of the run is still at work."""

    code = "RUN_NOT_OVER"
    title = "The run has not ended."
    remediation = "Cancel it first; once nothing of it is at a provider any more, delete it."


@again
def delete_run(run_id: str, *, actor: str) -> None:
    """Delete it; one that is deleted already stays so. Its files go after the commit.

    Raises NotFound, and RunNotOver while the run, or a job of it at a provider, has not ended.
    """
    try:
        with taking(run_id, actor=actor) as moves:
            _require_over(moves)
            _erase(moves)
    except RunDeleted:
        return


def _require_over(moves: Moves) -> None:
    if moves.run.status not in RUN_FINAL:
        raise RunNotOver(f"The run is {moves.run.status}.", runStatus=moves.run.status)
    live = Attempt.objects.filter(run=moves.run).exclude(status__in=ATTEMPT_FINAL).count()
    if live:
        many = "1 job of it is" if live == 1 else f"{live} jobs of it are"
        raise RunNotOver(f"The run is {moves.run.status}, and {many} not known to have ended.", liveAttempts=live)


def _erase(moves: Moves) -> None:
    run = moves.run
    moves.delete_run()
    for neighbour in neighbours():
        neighbour.forget(run)
    _give_back_inputs(moves)
    files.doom_assets(run)
    with connection.cursor() as cursor:
        for statement in _EMPTY:
            cursor.execute(statement, [run.pk])
    Webhook.objects.filter(attempt__run=run).delete()
    RunShare.objects.filter(run=run).delete()
    idempotency.forget_answers(run.run_id)
    forget_requests([run.run_id])
    heralds.herald().forget(run)
    dispatch.erase_soon()


def _give_back_inputs(moves: Moves) -> None:
    """The bytes that somebody else uses stay."""
    mine = RunInput.objects.filter(run=moves.run)
    keys = list(mine.values_list("storage_key", flat=True))
    mine.delete()
    files.give_back(keys, of=moves.run.run_id)


# What a run was made of, by table. Learning goes on with what is left of the steps, attempts and votes.
_EMPTY = (
    """
    UPDATE steps SET spec = spec || '{"prompt": "", "params": {}, "inputs": [], "aspect": null}' || jsonb_build_object(
        'judge', CASE jsonb_typeof(spec->'judge') WHEN 'object' THEN spec->'judge' || '{"criteria": []}' END)
    WHERE run_id = %s""",
    """
    UPDATE attempts SET logs = '[]', urls = '{}', content_key = '', webhook_digest = '', seed = NULL
    WHERE run_id = %s""",
    "UPDATE assets SET storage_key = '', sha256 = '' WHERE run_id = %s",
    """
    UPDATE feedback SET comment = '', scores = coalesce((
        SELECT jsonb_object_agg(said.key, said.value) FROM jsonb_each(scores) AS said
        WHERE said.key IN ('approved', 'overall', 'passed', 'threshold')
            OR said.key = 'vote' AND said.value IN ('"up"', '"down"')), '{}')
    WHERE run_id = %s""",
)
