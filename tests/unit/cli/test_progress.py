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
        "waits": None,
        "can": [],
    } | fields


def make_snapshot(*steps, assets=(), **fields):
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
        "can": [],
    } | fields
    return {"run": run, "steps": list(steps), "assets": list(assets), "feedback": []}


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
    reasons = """
        provider_queue provider_limit provider_paused rate_limit budget approval backoff submission_unknown
    """.split()

    said = [why({"waitReason": reason}) for reason in reasons]

    assert all(" " in sentence for sentence in said)
    assert len(set(said)) == 8


def test_a_failed_run_says_which_step_and_what_to_do():
    detail = {"message": "The provider is busy or down.", "remediation": "Run again later."}
    failed = make_step("clip", "failed", error="PROVIDER_UNAVAILABLE", errorDetail=detail)

    told = summary(make_snapshot(failed, status="failed", finishedAt=61_000), None)

    assert told == [
        "a-film: failed in 1 min 00 s, $0.50 of $5.00 spent. run_1",
        "  clip: PROVIDER_UNAVAILABLE: The provider is busy or down.",
        "    Run again later.",
    ]


def make_waits(*choices, **fields):
    waits = {"reason": "approval", "message": "A person must look.", "since": 1000, "until": None, "onTimeout": None}
    chosen = [
        {"assetId": f"asset_{number}", "attempt": number, "score": score} for number, score in enumerate(choices, 1)
    ]
    return waits | {"choices": chosen} | fields


def test_a_waiting_run_shows_what_can_be_picked_and_what_would_move_it():
    door = make_step(
        "door", "waiting", waitReason="approval", waits=make_waits(0.82, None), can=["approve", "retry", "reject"]
    )
    files = [{"assetId": "asset_1", "path": "/x/1.png", "url": "/api/1"}, {"assetId": "asset_2", "url": "/api/2"}]

    told = summary(make_snapshot(door, assets=files, status="waiting", waitReason="approval"), None)

    assert told[1:] == [
        "  door: A person must look.",
        "    asset_1  attempt 1  score 0.82  /x/1.png",
        "    asset_2  attempt 2  no score  /api/2",
        "    zap approve run_1 [--asset ASSET]",
        "    zap retry run_1",
        "    zap reject run_1",
    ]


def test_two_waiting_steps_are_told_apart():
    one = make_step("door", "waiting", waits=make_waits(0.5), can=["approve"])
    other = make_step("roof", "waiting", waits=make_waits(), can=["reject"])

    told = summary(make_snapshot(one, other, status="waiting"), None)

    assert "    zap approve run_1 --step door" in told
    assert "    zap reject run_1 --step roof" in told


def test_a_gate_that_decides_by_itself_says_when_and_what():
    waits = make_waits(0.5, until=61_000, onTimeout="approve")

    told = summary(make_snapshot(make_step("door", "waiting", waits=waits), status="waiting"), None)

    assert told[1] == f"  door: A person must look. By itself it is approved at {talk.moment(61_000)}."


def test_a_run_that_stands_still_says_how_to_go_on():
    failed = make_step("clip", "failed", error="PROVIDER_UNAVAILABLE", can=["retry", "rerun-from"])
    poor = make_step("clip", "waiting", waits=make_waits(reason="budget", message="No money."))

    ended = summary(make_snapshot(failed, status="failed", can=["resume", "fork"]), None)
    broke = summary(make_snapshot(poor, status="waiting", waitReason="budget", can=["cancel", "resume"]), None)

    assert ended[-2:] == ["  zap retry run_1 --step clip", "  zap resume run_1"]
    assert broke[1:] == ["  clip: No money.", "  zap resume run_1 --max-usd X"]


def test_a_run_at_work_names_no_commands():
    door = make_step("door", "waiting", waits=make_waits(0.5), can=["approve"])

    assert len(summary(make_snapshot(door, can=["cancel", "fork"]), None)) == 1


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
