"""Thousands of jobs at a provider, one drain: is every one of them polled in time, and what does a poll cost?

    ./dev bench drain

The provider is the emulator, on loopback. Every job is due again five seconds after each poll (no jitter beyond the
usual ± 10 %), and stays unfinished for the whole measurement.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from typing import Any

import psutil

from bench import _place as place

CADENCE_S = 5
WARM_S = 12


def main() -> None:
    options = place.arguments(__doc__, jobs=5000, seconds=30)
    settings = {"ZAP_ALLOW_LOOPBACK": "1", "FAL_KEY": "bench", "ZAP_POLL_CAP_S": str(CADENCE_S)}
    with place.own_servers(**settings), ExitStack() as stack:
        emulator = stack.enter_context(
            place.process(sys.executable, "-m", "providers.emulator", "--port", "0", "--json", stdout=subprocess.PIPE)
        )
        os.environ["FAL_BASE_URL"] = json.loads(emulator.stdout.readline())["fal"]  # type: ignore[union-attr]
        place_jobs(options.jobs)
        drain = stack.enter_context(place.process(*place.worker("drain", threads=2, name="drain")))
        ringer = stack.enter_context(place.process(sys.executable, "-m", "bench._ring"))
        figures = measure(options, psutil.Process(drain.pid))
        ringer.terminate()
        place.report(options, figures)


def place_jobs(count: int) -> None:
    """Jobs that the emulator knows, on record as accepted, their due times spread over one cadence."""
    import requests  # noqa: PLC0415 (after own_servers)
    from django.db import connection  # noqa: PLC0415

    from providers.registry import provider  # noqa: PLC0415
    from tests.factories import make_run, planned  # noqa: PLC0415

    origin = provider("fal").base_url
    answer = requests.post(f"{origin}/__emu__/pace", json={"run_s": 3600}, timeout=10)
    answer.raise_for_status()
    session = requests.Session()
    session.headers["Authorization"] = "Key bench"
    jobs = []
    for _ in range(count):
        made = session.post(f"{origin}/fal-ai/flux/dev", json={"prompt": "a lighthouse"}, timeout=10).json()
        urls = {name: made[name] for name in ("status_url", "response_url", "cancel_url")}
        jobs.append((made["request_id"], json.dumps(urls)))
    steps = [planned(f"s{i}", provider="fal", model="fal-ai/flux/dev", kind="video.gen") for i in range(50)]
    for _ in range(count // 50):
        make_run(*steps)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE runs SET status = 'running', due_at = now() + interval '1 day'")
        cursor.execute("UPDATE steps SET status = 'running', wait_reason = NULL, due_at = now() + interval '1 day'")
        cursor.execute(
            """
            INSERT INTO attempts (run_id, step_id, number, round, role, status, idem_key, content_key, provider, model,
                capability, key_source, polls, tries, provider_request_id, urls, logs, error, quote_usd, reserved_usd,
                cost_source, due_at, accepted_at, submitted_at, deadline_at)
            SELECT s.run_id, s.id, 1, 1, 'make', 'accepted', 'bench-' || s.id, '', 'fal', s.model,
                s.kind, 'operator', 9, 0, j.request_id, j.urls::jsonb, '[]', '', 0, 0,
                '', now() + random() * %s * interval '1 second', now(), now(), now() + interval '1 day'
            FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM steps) s
            JOIN unnest(%s::text[], %s::text[]) WITH ORDINALITY AS j(request_id, urls, place) USING (place)""",
            [CADENCE_S, [job[0] for job in jobs], [job[1] for job in jobs]],
        )


def measure(options: Any, drain: psutil.Process) -> dict[str, Any]:
    from django.db import connection  # noqa: PLC0415

    time.sleep(WARM_S)
    began, cpu, polls = time.perf_counter(), _cpu(drain), _polls(connection)
    late: list[float] = []
    while time.perf_counter() - began < options.seconds:
        time.sleep(1)
        late.append(_latest(connection))
    took = time.perf_counter() - began
    made = _polls(connection) - polls
    never = _count(connection, "polls < 12")
    return {
        "jobs in flight": options.jobs,
        "cadence, s": CADENCE_S,
        "seconds measured": round(took, 1),
        "polls/s": round(made / took),
        "polls/s asked for": round(options.jobs / CADENCE_S),
        "processor us a poll": round((_cpu(drain) - cpu) / made * 1e6),
        "latest job, s, worst second": round(max(late), 2),
        "lost (hardly ever polled)": never,
        "drain's memory, MB": drain.memory_info().rss // 2**20,
    }


def _cpu(drain: psutil.Process) -> float:
    times = drain.cpu_times()
    return times.user + times.system


def _polls(connection: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(polls) FROM attempts")
        return int(cursor.fetchone()[0])


def _latest(connection: Any) -> float:
    """How far the most overdue job is past its time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM now() - min(due_at)) FROM attempts WHERE status = 'accepted'")
        return max(float(cursor.fetchone()[0] or 0), 0.0)


def _count(connection: Any, condition: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM attempts WHERE {condition}")
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
