"""How long does an operator wait for a list of the admin, when each table has a million rows?

    ./dev bench admin

Every list page is asked for: its first page, one from the middle, every value of every filter, and searches that find
something and that do not. What is measured is the whole answer, made in this process; the database is real.
"""

import statistics
import time
from typing import Any

from bench import _place as place

_FILL = (
    """INSERT INTO runs (run_id, owner_id, principal_id, session_id, zap_slug, zap_version, source, prompts,
        content_hash, inputs, options, provider_mode, status, stage, wait_reason, error, output, zap_url, revision,
        quote_usd, cap_usd, reserved_usd, cost_usd, due_at, started_at, finished_at)
    SELECT 'run_' || n, 1, 'user:1', '', 'recipe-' || n %% 200, 1, repeat('# A recipe ', 120), '{}', repeat('0', 64),
        '{}', '{}', 'mock', s.status, s.stage, s.reason, '', 'Zap.mp4', '', 9, 2, 5, 0, 1, NULL,
        s.began, CASE WHEN s.reason IS NULL THEN s.began END
    FROM generate_series(1, %(rows)s) n, LATERAL (SELECT now() - (%(rows)s - n) * interval '1 s' AS began,
        CASE WHEN n %% 2000 = 0 THEN 'waiting' WHEN n %% 20 = 1 THEN 'failed' ELSE 'done' END AS status,
        CASE WHEN n %% 2000 = 0 THEN 'review' WHEN n %% 20 = 1 THEN 'failed' ELSE 'complete' END AS stage,
        CASE WHEN n %% 2000 = 0 THEN 'approval' END AS reason) s""",
    """INSERT INTO steps (run_id, step_id, position, kind, provider, model, spec, parents, status, wait_reason,
        progress, error, idem_key, provider_request_id, round, price_quote_usd, reserved_usd, started_at, finished_at)
    SELECT r.id, 'clip', 0, 'video.gen', 'fal', 'fal-ai/veo3', jsonb_build_object('prompt', repeat('light ', 150)),
        '[]', r.status, r.wait_reason, 1, CASE r.status WHEN 'failed' THEN 'PROVIDER_UNAVAILABLE' ELSE '' END,
        'zap:idem:' || r.id, 'job-' || r.id, 1, 1, 0, r.started_at, r.finished_at
    FROM runs r""",
    """INSERT INTO attempts (run_id, step_id, number, round, role, status, idem_key, content_key, provider, model,
        capability, provider_request_id, urls, progress, logs, error, quote_usd, reserved_usd, actual_usd, cost_source,
        polls, tries, due_at, created_at, finished_at)
    SELECT s.run_id, s.id, 1, 1, 'make', CASE s.status WHEN 'waiting' THEN 'accepted' ELSE s.status END,
        'zap:idem:' || s.run_id, md5(s.id::text), 'fal', s.model, 'video.gen', 'job-' || s.run_id, '{}', 1, '[]', '',
        1, 0, 1, 'quoted', 9, 1, CASE s.status WHEN 'waiting' THEN now() END, s.started_at, s.finished_at
    FROM steps s""",
    """INSERT INTO assets (asset_id, run_id, step_id, attempt_id, index, kind, content_type, storage_key, sha256,
        size_bytes, parents, created_at)
    SELECT 'asset_' || a.id, a.run_id, a.step_id, a.id, 0, 'mp4', 'video/mp4', 'runs/' || a.id,
        encode(sha256(a.id::text::bytea), 'hex'), 1000, '{}', a.created_at
    FROM attempts a""",
    """INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
    SELECT r.id, 1, 'run.finished', r.run_id, CASE WHEN r.id %% 5000 = 0 THEN 'user:1' ELSE 'worker' END, '',
        r.started_at
    FROM runs r""",
    """INSERT INTO ledger (at, kind, usd, quote_usd, source, day, run_id, step_id, attempt, owner_id, zap_slug,
        provider, model)
    SELECT r.started_at, CASE r.id %% 3 WHEN 0 THEN 'reserved' WHEN 1 THEN 'released' ELSE 'spent' END, 1, 1,
        CASE r.id %% 3 WHEN 2 THEN 'quoted' ELSE '' END, r.started_at::date, r.run_id, 'clip', 1, r.owner_id,
        r.zap_slug, 'fal', 'm'
    FROM runs r""",
    """INSERT INTO feedback (run_id, step_id, asset_id, kind, rater, scores, comment, principal_id, created_at)
    SELECT run_id, step_id, id, CASE WHEN id %% 5 = 0 THEN 'rlhf_vote' ELSE 'judge_score' END,
        CASE WHEN id %% 5 = 0 THEN 'human' ELSE 'vlm' END, '{"look": 4}', 'Good light.', '', created_at
    FROM assets""",
    """INSERT INTO webhooks (attempt_id, provider, event_id, request_id, outcome, received_at)
    SELECT id, 'fal', 'evt-' || id, provider_request_id, CASE WHEN id %% 5000 = 0 THEN 'late' ELSE 'rung' END,
        created_at
    FROM attempts""",
    """INSERT INTO cron_logs (job_name, start_time, end_time, duration, status, processed_count, error_count, error,
        lease_until)
    SELECT 'drain', started_at, started_at, 40, CASE WHEN id %% 100 = 0 THEN 'partial' ELSE 'success' END, 3, 0,
        CASE WHEN id %% 100 = 0 THEN 'PROVIDER_UNAVAILABLE: The provider is busy.' ELSE '' END, started_at
    FROM runs""",
    """INSERT INTO webhook_endpoints (hook_id, owner_id, run_id, url, description, events, secret, old_secret, is_on,
        off_reason, failures, created_at)
    SELECT 'hook_' || id, 1, id, 'https://receiver.example/', '', '{run.done}', '', '', id %% 500 <> 0,
        CASE WHEN id %% 500 = 0 THEN 'gone' ELSE '' END, 0, started_at
    FROM runs""",
    """INSERT INTO deliveries (owner_id, endpoint_id, run_id, event_id, type, data, happened_at, status, due_at, tries,
        log, ended_at)
    SELECT owner_id, id, run_id, 'evt_' || run_id, 'run.done', '{}', created_at, s.status,
        CASE s.status WHEN 'waiting' THEN now() END, 1, '[]', CASE s.status WHEN 'waiting' THEN NULL ELSE created_at END
    FROM webhook_endpoints, LATERAL (SELECT CASE WHEN id %% 1000 = 0 THEN 'waiting' WHEN id %% 1000 = 1 THEN 'failed'
        ELSE 'delivered' END AS status) s""",
    """INSERT INTO schedules (schedule_id, owner_id, made_by, name, slug, mode, inputs, created_at, cron, every_s, zone,
        since, overlap, give_up_after, status, reason, error, failures, next_at, media)
    SELECT 'schedule_' || id, 1, 'user:1', '', zap_slug, 'mock', '{}', started_at, '', 3600, 'UTC', started_at, 'skip',
        3, CASE WHEN id %% 1000 = 0 THEN 'paused' ELSE 'active' END,
        CASE WHEN id %% 1000 = 0 THEN 'FAILED_TOO_OFTEN' ELSE '' END, '', 0,
        CASE WHEN id %% 1000 = 0 THEN NULL ELSE now() + interval '1 h' END, '{}'
    FROM runs""",
    """INSERT INTO triggers (trigger_id, owner_id, made_by, name, slug, mode, inputs, created_at, digest, allowed,
        per_minute, media)
    SELECT 'trigger_' || id, 1, 'user:1', '', zap_slug, 'mock', '{}', started_at, '', '{}', 10, '{}' FROM runs""",
    """INSERT INTO batches (batch_id, owner_id, made_by, name, slug, mode, inputs, created_at, row_count, quote_usd,
        most_usd, cap_usd, status, reason, finished_at)
    SELECT 'batch_' || id, 1, 'user:1', '', zap_slug, 'mock', '{}', started_at, 1, 1, 1, 1, 'done', '', started_at
    FROM runs""",
    """INSERT INTO firings (batch_id, due_at, number, line, inputs, status, error, times, run_id, run_cap_usd, begun_at,
        ended_at, media)
    SELECT b.id, b.created_at, 1, 1, '{}', CASE WHEN b.id %% 1000 = 0 THEN 'refused' ELSE 'done' END, '', 1, b.id, 1,
        b.created_at, b.created_at, '{}'
    FROM batches b""",
    """INSERT INTO auth_user (id, username, password, is_superuser, first_name, last_name, email, is_staff, is_active,
        date_joined)
    SELECT 1 + n, 'left-' || n, '', false, '', '', '', false, false, now() FROM generate_series(1, %(rows)s) n""",
    """INSERT INTO departures (user_id, digest, asked_by, asked_at, principals, waits_for, due_at, done_at)
    SELECT id, md5(id::text), 'user:1', date_joined, '{}', '{}', CASE WHEN id %% 1000 = 0 THEN date_joined END,
        CASE WHEN id %% 1000 = 0 THEN NULL ELSE date_joined END
    FROM auth_user WHERE id > 1""",
)
_FILTERS = dict[str, tuple[str, ...]]
_OF_RUN = ("run_{mid}", "run_{mid} clip")
_NONE = "nothing-of-that-name"
_TABLES: dict[str, tuple[tuple[str, ...], _FILTERS]] = {
    "runs/run": (
        ("run_{mid}", "job-{mid}", "zap:idem:{mid}", "bench", "user:1", "recipe-7", "recipe", _NONE),
        {
            "status": ("queued", "running", "waiting", "done", "failed", "canceled"),
            "stage": ("queued", "generating", "review", "complete", "failed", "canceled"),
            "provider_mode": ("mock", "live"),
            "wait_reason": ("approval", "budget"),
        },
    ),
    "runs/step": (
        (*_OF_RUN, "job-{mid}", "zap:idem:{mid}", _NONE),
        {"status": ("queued", "waiting", "done", "failed", "skipped"), "wait_reason": ("approval", "budget")},
    ),
    "runs/attempt": (
        (*_OF_RUN, "job-{mid}", "zap:idem:{mid}", _NONE),
        {"status": ("planned", "accepted", "unknown", "done", "failed", "canceled")},
    ),
    "runs/asset": (
        ("asset_{mid}", *_OF_RUN, "0" * 64, _NONE),
        {"kind": ("png", "mp4", "wav", "json")},
    ),
    "runs/runevent": (("run_{mid}", "user:1", "user:2", _NONE), {}),
    "runs/ledgerentry": (
        ("run_{mid}", "bench", _NONE),
        {
            "kind": ("reserved", "released", "spent", "overshoot"),
            "source": ("reported", "derived", "quoted"),
            "provider": ("fal", "gmi"),
        },
    ),
    "runs/deadletter": (
        (*_OF_RUN, "PROVIDER_UNAVAILABLE", "NO_SUCH_CODE", "fal-ai/veo3", "recipe-7", _NONE),
        {"provider": ("fal", "gmi"), "run__provider_mode": ("mock", "live")},
    ),
    "runs/feedback": (
        (*_OF_RUN, "asset_{mid}", _NONE),
        {"kind": ("aura_score", "judge_score", "rlhf_vote"), "rater": ("heuristic", "human", "vlm")},
    ),
    "runs/webhook": (
        ("run_{mid}", "job-{mid}", "fal", "gmi", _NONE),
        {"outcome": ("rung", "early", "proof", "late")},
    ),
    "runs/cronlog": (
        ("drain", "PROVIDER_UNAVAILABLE", "NO_SUCH_CODE", _NONE),
        {"status": ("success", "partial", "failed")},
    ),
    "notifications/endpoint": (
        ("hook_{mid}", "run_{mid}", "bench", _NONE),
        {"off_reason": ("owner", "operator", "gone", "failing")},
    ),
    "notifications/delivery": (
        ("evt_{mid}", "hook_{mid}", "run_{mid}", _NONE),
        {"status": ("waiting", "delivered", "failed")},
    ),
    "automations/schedule": (
        ("schedule_{mid}", "bench", "recipe-7", "recipe", _NONE),
        {"status": ("active", "paused")},
    ),
    "automations/trigger": (("trigger_{mid}", "bench", "recipe-7", "recipe", _NONE), {}),
    "automations/batch": (("batch_{mid}", "bench", "recipe-7", "recipe", _NONE), {}),
    "automations/firing": (
        ("schedule_{mid}", "trigger_{mid}", "batch_{mid}", "run_{mid}", _NONE),
        {"status": ("due", "started", "done", "failed", "canceled", "refused", "skipped", "missed")},
    ),
    "accounts/departure": (("{mid}", "left-{mid}", _NONE), {}),
}


def main() -> None:
    options = place.arguments(__doc__, rows=1_000_000, rounds=5)
    with place.own_servers(ALLOWED_HOSTS="testserver"):
        place.report(options, measure(options))


def measure(options: Any) -> dict[str, Any]:
    from django.contrib.auth.models import User  # noqa: PLC0415 (after own_servers)
    from django.test import Client  # noqa: PLC0415

    browser = Client()
    browser.force_login(User.objects.create_superuser("bench", pk=1))
    began = time.perf_counter()
    _fill(options.rows)
    filled_s = time.perf_counter() - began
    times = {address: [_time(browser, address) for _ in range(options.rounds)] for address in _addresses(options.rows)}
    every = sorted(time_ms for found in times.values() for time_ms in found)
    slowest = sorted(times, key=lambda address: -statistics.median(times[address]))[:8]
    return {
        "rows of each table": options.rows,
        "seconds to fill": round(filled_s),
        "pages": len(times),
        "ms, median": round(statistics.median(every)),
        "ms, p95": round(every[int(0.95 * (len(every) - 1))]),
        "ms, worst": round(every[-1]),
        **{f"ms, {address}": round(statistics.median(times[address])) for address in slowest},
    }


def _fill(rows: int) -> None:
    from django.db import connection  # noqa: PLC0415 (after own_servers)

    with connection.cursor() as cursor:
        # Rows that fit together by the way they are made need no look at each reference.
        cursor.execute("SET session_replication_role = replica")
        for statement in _FILL:
            cursor.execute(statement, {"rows": rows} if "%(rows)s" in statement else {})
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")


def _addresses(rows: int) -> list[str]:
    found = ["/admin/"]
    for table, (searches, filters) in _TABLES.items():
        page = f"/admin/{table}/"
        found += [page, f"{page}?after={rows // 2}", f"{page}?before={rows // 2}"]
        found += [f"{page}?q={term.format(mid=rows // 2).replace(' ', '+')}" for term in searches]
        found += [f"{page}?{name}={word}" for name, words in filters.items() for word in words]
    return found


def _time(browser: Any, address: str) -> float:
    began = time.perf_counter()
    answer = browser.get(address)
    took_ms = (time.perf_counter() - began) * 1000
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}")
    return took_ms


if __name__ == "__main__":
    main()
