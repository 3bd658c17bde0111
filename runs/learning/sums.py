"""The sums over many runs, as the database makes them. Each statement takes the runs' ids and nothing else.

`mode`, `name` and `kind` tell the rows apart: live or mock, the step's id in the recipe, and its kind, because what
planning put in for a step (a picture made larger, say) has its name and another kind. On votes for whole runs, name and
kind are empty.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

COMMENTS, COMMENT_AT_MOST = 5, 280  # newest of a step; characters

RUNS = """
    SELECT provider_mode AS mode, count(*) FILTER (WHERE status = 'done') AS done,
        count(*) FILTER (WHERE status = 'failed') AS failed, count(*) FILTER (WHERE status = 'canceled') AS canceled,
        count(*) FILTER (WHERE status NOT IN ('done', 'failed', 'canceled')) AS open, sum(cost_usd) AS total_usd,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY quote_usd) FILTER (WHERE status = 'done') AS quote_usd,
        percentile_disc(ARRAY[0, 0.5, 0.95]) WITHIN GROUP (ORDER BY cost_usd) FILTER (WHERE status = 'done')
            AS cost_usd,
        percentile_disc(ARRAY[0, 0.5, 0.95]) WITHIN GROUP (ORDER BY took.s) FILTER (WHERE status = 'done') AS wall_s
    FROM runs CROSS JOIN LATERAL (SELECT round(extract(epoch FROM finished_at - started_at), 3) AS s) AS took
    WHERE id = ANY(%s) GROUP BY provider_mode ORDER BY provider_mode"""

_STEP = "r.provider_mode AS mode, s.spec->>'recipe_step' AS name, s.kind"
_OF_STEPS = "JOIN runs r ON r.id = s.run_id WHERE s.run_id = ANY(%s)"

STEPS = f"""
    SELECT {_STEP}, max(s.id) AS newest, count(*) FILTER (WHERE s.status = 'done') AS done,
        count(*) FILTER (WHERE s.status = 'failed') AS failed, count(*) FILTER (WHERE s.status = 'skipped') AS skipped,
        coalesce(sum(took.s) FILTER (WHERE s.status = 'done'), 0) AS seconds,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY took.s) FILTER (WHERE s.status = 'done') AS median_s
    FROM steps s CROSS JOIN LATERAL (SELECT round(extract(epoch FROM s.finished_at - s.started_at), 3) AS s) AS took
    {_OF_STEPS} GROUP BY 1, 2, 3 ORDER BY 1, min(s.position), 2, 3"""  # noqa: S608 (these statements are all ours)

# `place` counts a step's attempts of one role, `result` what one of its rounds delivered; both from 1. What was taken
# over from an earlier run is no attempt.
ATTEMPTS = f"""
    SELECT {_STEP}, count(*) FILTER (WHERE is_try) AS attempts,
        count(*) FILTER (WHERE is_try AND place > (s.spec->>'candidates')::int) AS retries,
        count(*) FILTER (WHERE is_try
            AND (a.provider, a.model) <> (s.spec->>'provider', coalesce(s.spec->>'model', ''))) AS by_fallback,
        count(*) FILTER (WHERE cost_source = 'reused') AS reused,
        count(*) FILTER (WHERE is_try AND a.status = 'done') AS results,
        count(*) FILTER (WHERE a.id = s.chosen_id AND s.status = 'done' AND results > 1) AS choices,
        count(*) FILTER (WHERE a.id = s.chosen_id AND s.status = 'done' AND results > 1 AND result = 1) AS first_chosen,
        count(*) FILTER (WHERE role = 'judge' AND a.status = 'failed') AS judge_failures,
        coalesce(sum(a.actual_usd), 0) AS cost_usd
    FROM (
        SELECT *, role = 'make' AND cost_source <> 'reused' AS is_try,
            row_number() OVER (PARTITION BY step_id, role, cost_source = 'reused' ORDER BY number) AS place,
            row_number() OVER (PARTITION BY step_id, role, round, status ORDER BY number) AS result,
            count(*) OVER (PARTITION BY step_id, role, round, status) AS results
        FROM attempts WHERE run_id = ANY(%s)
    ) AS a JOIN steps s ON s.id = a.step_id JOIN runs r ON r.id = s.run_id GROUP BY 1, 2, 3"""  # noqa: S608

FAILURES = f"""
    SELECT {_STEP}, a.error, count(*) AS count FROM attempts a JOIN steps s ON s.id = a.step_id {_OF_STEPS}
    AND a.role = 'make' AND a.status = 'failed' GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 4"""  # noqa: S608

# Several judges look at one result: the worst score counts, and all of them must have let it pass.
SCORES = f"""
    SELECT mode, name, kind, count(*) AS count, min(score) AS least,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY score) AS median,
        CASE WHEN count(passed) > 0 THEN count(*) FILTER (WHERE passed) END AS passed
    FROM (
        SELECT {_STEP}, min((f.scores->>'overall')::numeric) AS score, bool_and(f.scores->'passed' = 'true') AS passed
        FROM feedback f JOIN steps s ON s.id = f.step_id {_OF_STEPS}
        AND f.kind = 'judge_score' AND jsonb_typeof(f.scores->'overall') = 'number'
        GROUP BY 1, 2, 3, coalesce(f.asset_id, -f.id)
    ) AS judged GROUP BY 1, 2, 3"""  # noqa: S608

_VOTED = "r.provider_mode AS mode, coalesce(s.spec->>'recipe_step', '') AS name, coalesce(s.kind, '') AS kind"
_VOTES = """
    FROM feedback f JOIN runs r ON r.id = f.run_id LEFT JOIN assets a ON a.id = f.asset_id
    LEFT JOIN steps s ON s.id = coalesce(f.step_id, a.step_id)
    WHERE f.run_id = ANY(%s) AND f.kind = 'rlhf_vote'"""
VOTES = f"""
    SELECT {_VOTED}, count(*) FILTER (WHERE f.scores->>'vote' = 'up') AS up,
        count(*) FILTER (WHERE f.scores->>'vote' = 'down') AS down
    {_VOTES} GROUP BY 1, 2, 3"""
COMMENTS_OF_VOTES = f"""
    SELECT * FROM (
        SELECT said.*, row_number() OVER (PARTITION BY mode, name, kind ORDER BY id DESC) AS place
        FROM (
            SELECT {_VOTED}, f.id, coalesce(f.scores->>'vote', '') AS vote, left(f.comment, {COMMENT_AT_MOST}) AS text,
                f.created_at AS at
            {_VOTES} AND f.comment <> ''
        ) AS said
    ) AS placed WHERE place <= {COMMENTS} ORDER BY place"""  # noqa: S608


def ask(statement: str, run_pks: Sequence[int]) -> list[dict[str, Any]]:
    """The rows, by column name."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(run_pks)])
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
