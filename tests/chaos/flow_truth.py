"""What must be true of flows when all is over, whoever died: by the rows, by what workers were told, and by a witness.

The witness is a trigger: it writes down every change of a run's status in the transaction that makes it. Whoever could
see an earlier change has a greater number, so what stands in order of the numbers did happen in that order.
"""

import json
import re
from collections import Counter, defaultdict
from contextlib import contextmanager

from django.db import connection

from flows.models import FlowAttempt, FlowEvent, FlowRun, FlowSweepLog

FINAL = {"completed", "failed", "canceled"}
_SET_UP = """
CREATE TABLE flow_witness (
    seq bigserial PRIMARY KEY, run bigint, key text, at_most int, was text, became text
);
CREATE FUNCTION flow_witness() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO flow_witness (run, key, at_most, was, became)
    VALUES (NEW.id, NEW.concurrency_key, NEW.concurrency_limit, OLD.status, NEW.status);
    RETURN NULL;
END $$;
CREATE TRIGGER flow_witness AFTER UPDATE OF status ON flow_runs FOR EACH ROW EXECUTE FUNCTION flow_witness();
"""
_TAKE_DOWN = "DROP TRIGGER flow_witness ON flow_runs; DROP FUNCTION flow_witness; DROP TABLE flow_witness"
_SAW = "SELECT run, key, at_most, was, became FROM flow_witness ORDER BY seq"
_ENDED = re.compile(r"run=(\S+) attempt=(\d+) became=(\w+)")


@contextmanager
def witness():
    """While this lasts, every change of a run's status is written down."""
    with connection.cursor() as cursor:
        cursor.execute(_SET_UP)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE_DOWN)


def assert_no_event_is_lost(told):
    """`told`: of each event, all the sets of runs that its senders were told of."""
    assert set(FlowEvent.objects.values_list("event_id", flat=True)) == set(told)
    made = defaultdict(set)
    for event_id, run_id in FlowRun.objects.values_list("event__event_id", "run_id"):
        made[event_id].add(run_id)
    for event_id, answers in told.items():
        assert all(answer == made[event_id] for answer in answers), event_id
    assert set(map(len, made.values())) == {3}


def assert_every_run_ended_once():
    """And stayed so; its attempts are numbered without a gap, and only the last one can have ended it."""
    changes = defaultdict(list)
    for run, _, _, was, became in _saw():
        assert was == (changes[run][-1] if changes[run] else "queued")
        changes[run].append(became)
    tries = defaultdict(list)
    for attempt in FlowAttempt.objects.order_by("run_id", "number"):
        tries[attempt.run_id].append(attempt)
    for run in FlowRun.objects.all():
        ends = [status for status in changes[run.pk] if status in FINAL]
        assert ends == changes[run.pk][-1:] == [run.status], (run, changes[run.pk])
        assert [one.number for one in tries[run.pk]] == list(range(1, run.attempt_count + 1)), run
        assert all(one.status == "failed" for one in tries[run.pk][:-1]), run
        assert tries[run.pk][-1].status == run.status, run
        if run.status == "completed":
            assert tries[run.pk][-1].completed_at <= tries[run.pk][-1].lease_until, f"{run} was ended by a stale lease"
            assert run.result["by"] == f"{run.run_id}.{run.attempt_count}"
        else:
            assert (run.is_dead, run.attempt_count) == (True, run.max_attempts), run


def assert_no_key_was_exceeded():
    """At no moment were more runs of a key at work than it allows."""
    at_work = Counter()
    for _, key, at_most, was, became in _saw():
        at_work[key] += (became == "running") - (was == "running")
        assert not key or at_work[key] <= at_most, key
    assert set(at_work.values()) == {0}


def assert_answers_and_rows_agree(journals, logs):
    """What a worker was told was taken stands there, and what it was told was not taken does not.

    Returns how often which answer was given to which report.
    """
    rows = {f"{one.run.run_id}.{one.number}": one for one in FlowAttempt.objects.select_related("run")}
    answers, asked = _answers(journals, logs)
    for attempt, verb, status, _ in answers:
        assert status in (200, 409), (attempt, verb, status)
        if verb == "complete":
            assert (rows[attempt].status == "completed") == (status == 200), attempt
        if verb in ("fail", "release") and status == 200:
            assert rows[attempt].status == "failed", attempt
    for attempt, row in rows.items():
        if row.status == "completed" and row.worker_id.startswith("hand-"):
            assert (attempt, "complete") in asked
    assert not FlowSweepLog.objects.exclude(error_count=0).exists()
    return Counter((verb, code or status) for _, verb, status, code in answers)


def _answers(journals, logs):
    answers, asked = [], set()
    for journal in journals:
        for line in map(json.loads, journal.read_text().splitlines()):
            assert line.get("trouble") != 500, journal
            if "status" in line:
                answers.append((line["attempt"], line["verb"], line["status"], line["code"]))
            elif "verb" in line:
                asked.add((line["attempt"], line["verb"]))
    for log in logs:
        for run, number, became in _ENDED.findall(log.read_text()):
            if became == "completed":
                answers.append((f"{run}.{number}", "complete", 200, ""))
    return answers, asked


def _saw():
    with connection.cursor() as cursor:
        cursor.execute(_SAW)
        return cursor.fetchall()
