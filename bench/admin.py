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
        '[]', r.status, r.wait_reason, 1, '', 'zap:idem:' || r.id, 'job-' || r.id, 1, 1, 0, r.started_at, r.finished_at
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
)
_FILTERS = dict[str, tuple[str, ...]]
_TABLES: dict[str, tuple[tuple[str, ...], _FILTERS]] = {
    "run": (
        ("run_{mid}", "job-{mid}", "zap:idem:{mid}", "bench", "user:1", "recipe-7", "recipe", "nothing-of-that-name"),
        {
            "status": ("queued", "running", "waiting", "done", "failed", "canceled"),
            "stage": ("queued", "generating", "review", "complete", "failed", "canceled"),
            "provider_mode": ("mock", "live"),
            "wait_reason": ("approval", "budget"),
        },
    ),
    "step": (
        ("run_{mid}", "run_{mid} clip", "job-{mid}", "zap:idem:{mid}", "nothing-of-that-name"),
        {"status": ("queued", "waiting", "done", "failed", "skipped"), "wait_reason": ("approval", "budget")},
    ),
    "attempt": (
        ("run_{mid}", "run_{mid} clip", "job-{mid}", "zap:idem:{mid}", "nothing-of-that-name"),
        {"status": ("planned", "accepted", "unknown", "done", "failed", "canceled")},
    ),
    "asset": (
        ("asset_{mid}", "run_{mid}", "run_{mid} clip", "0" * 64, "nothing-of-that-name"),
        {"kind": ("png", "mp4", "wav", "json")},
    ),
    "runevent": (("run_{mid}", "user:1", "user:2", "nothing-of-that-name"), {}),
    "ledgerentry": (
        ("run_{mid}", "bench", "nothing-of-that-name"),
        {
            "kind": ("reserved", "released", "spent", "overshoot"),
            "source": ("reported", "derived", "quoted"),
            "provider": ("fal", "gmi"),
        },
    ),
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
        page = f"/admin/runs/{table}/"
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
