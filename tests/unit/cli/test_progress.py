import io

from rich.console import Console

from cli import talk
from cli.progress import Lines, picture, summary
from cli.words import why


def make_step(step_id, status, **fields):
    return {
        "stepId": step_id,
        "kind": "video.gen",
        "provider": "mock",
        "status": status,
        "waitReason": None,
        "progress": 0.0,
        "parents": [],
        "attempts": [],
        "error": None,
        "errorDetail": None,
        "actualUsd": None,
        "startedAt": None,
        "finishedAt": None,
    } | fields


def make_snapshot(*steps, **fields):
    run = {
        "runId": "run_1",
        "zapSlug": "a-film",
        "zapUrl": None,
        "status": "running",
        "stage": "generating",
        "waitReason": None,
        "providerMode": "mock",
        "error": None,
        "errorDetail": None,
        "costUsd": 0.5,
        "capUsd": 5.0,
        "startedAt": 1000,
        "finishedAt": None,
    } | fields
    return {"run": run, "steps": list(steps), "assets": [], "feedback": []}


def drawn(snapshot, now_ms=61_000):
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    console.print(picture(snapshot, now_ms=now_ms))
    return console.file.getvalue()


def test_a_line_is_printed_once_for_each_change(capsys):
    lines = Lines()

    lines.show(make_snapshot(make_step("clip", "running")))
    lines.show(make_snapshot(make_step("clip", "running", progress=0.5)))
    lines.show(make_snapshot(make_step("clip", "done", progress=1.0)))

    told = [line[10:] for line in capsys.readouterr().err.splitlines()]
    assert told == ["run_1  running", "clip  running", "clip  done"]


def test_progress_never_touches_stdout(capsys):
    Lines().show(make_snapshot(make_step("clip", "running")))

    assert capsys.readouterr().out == ""


def test_the_table_says_why_a_step_waits():
    attempt = {"queuePosition": 4}
    waiting = make_step("clip", "running", waitReason="provider_queue", attempts=[attempt], startedAt=31_000)

    text = drawn(make_snapshot(waiting, make_step("film", "queued", waitReason="dependency", parents=["clip"])))

    assert "waits in the provider's queue, place 4" in text
    assert "waits for clip" in text
    assert "30 s" in text
    assert "a-film  running  mock · generating · $0.50 of $5.00 · 1 min 00 s · run_1" in text


def test_every_wait_reason_is_said_in_words():
    reasons = ["provider_queue", "provider_limit", "rate_limit", "budget", "approval", "backoff", "submission_unknown"]

    said = [why({"waitReason": reason}) for reason in reasons]

    assert all(" " in sentence for sentence in said)
    assert len(set(said)) == 7


def test_a_failed_run_says_which_step_and_what_to_do():
    detail = {"message": "The provider is busy or down.", "remediation": "Run again later."}
    failed = make_step("clip", "failed", error="PROVIDER_UNAVAILABLE", errorDetail=detail)

    told = summary(make_snapshot(failed, status="failed", finishedAt=61_000), None)

    assert told == [
        "a-film: failed in 1 min 00 s, $0.50 of $5.00 spent. run_1",
        "  clip: PROVIDER_UNAVAILABLE: The provider is busy or down.",
        "    Run again later.",
    ]


def test_money_shows_as_many_places_as_it_takes():
    assert [talk.usd(amount) for amount in (0.0, 1.5, 0.433333, 0.000001, 12)] == [
        "$0.00",
        "$1.50",
        "$0.433333",
        "$0.000001",
        "$12.00",
    ]


def test_a_span_is_said_in_the_largest_units():
    assert [talk.span(seconds) for seconds in (0.4, 59, 60, 3599, 3725)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 02 min",
    ]
