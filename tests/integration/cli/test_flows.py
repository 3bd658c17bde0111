"""Flows at the command line, as their author and their operator type it."""

import json
import logging
import re
import signal
import socket
import subprocess
import sys

import pytest

from accounts.tokens import create_token
from cli.__main__ import main
from flows import claims, output, results
from flows.models import FlowEvent, FlowRun
from tests.integration.flows.making import event, step, sync
from tests.integration.people import make_user
from tests.processes import wait_until

SLOW = """
import sys, time
print("begins", flush=True)
print("careful", end="", file=sys.stderr, flush=True)
sys.stdin.read()
time.sleep({seconds})
print("FLOW_RESULT", '{{"status": "{status}"}}')
"""


@pytest.fixture(autouse=True)
def _quiet():
    """The worker's own log level is the process's."""
    level = logging.getLogger("flow_worker").level
    yield
    logging.getLogger("flow_worker").setLevel(level)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder to work in, and two flows in it that listen to `pushed`."""
    monkeypatch.chdir(tmp_path)
    for name, status in (("one", "completed"), ("two", "changed")):
        folder = tmp_path / "flows" / name
        folder.mkdir(parents=True)
        (folder / "flow.toml").write_text(
            f'name = "{name}"\nversion = 1\n[[steps]]\nname = "build"\nrunner = "python"\nscript = "run.py"\n'
            '[steps.trigger]\ntype = "pushed"\n'
        )
        (folder / "run.py").write_text(SLOW.format(seconds=0, status=status))
    (tmp_path / "event.json").write_text(json.dumps(event()))
    return tmp_path


def zap(capsys, *words):
    """How it ended, and what it gave and said."""
    capsys.readouterr()
    code = main(list(words))
    return code, *capsys.readouterr()


def piece(seq, text, kind="stdout"):
    return {"seq": seq, "kind": kind, "text": text}


def begun(**more):
    """A run that a worker holds."""
    sync("ci", step(**more))
    main(["flow", "dispatch", "--event", "event.json"])
    (lease,) = claims.claim("w1")
    return lease


# --- here, without a server -------------------------------------------------------------------------------------------


def test_what_steps_write_is_shown_line_by_line_behind_the_name_of_its_step(home, capsys):
    code, given, said = zap(capsys, "flow", "fire", "--event", "event.json")

    assert code == 0
    assert [one["result"]["status"] for one in json.loads(given)["results"]] == ["completed", "changed"]
    for name, status in (("one/build", "completed"), ("two/build", "changed")):
        assert f"{name} | begins\n" in said
        assert f"{name} | careful\n" in said
        assert f"{name} {status}.\n" in said


def test_output_is_shown_while_the_step_runs_and_ctrl_c_ends_it_with_the_command(home):
    (home / "flows/one/run.py").write_text(SLOW.format(seconds=600, status="completed"))
    command = [sys.executable, "-P", "-m", "cli", "flow", "fire", "--event", "event.json"]
    fired = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )

    assert fired.stderr.readline().startswith("one/build | ")
    (child,) = _children(fired.pid)
    fired.send_signal(signal.SIGINT)

    assert fired.wait(30) == 130
    wait_until(lambda: not child.is_running())
    fired.communicate()


def _children(pid):
    import psutil

    return psutil.Process(pid).children()


def test_a_house_without_flows_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "event.json").write_text(json.dumps(event()))

    assert "There are no flows below .codex/flows and flows." in zap(capsys, "flow", "list")[2]
    assert zap(capsys, "flow", "list", "--json")[1] == "[]\n"
    assert "No step below" in zap(capsys, "flow", "fire", "--event", "event.json")[2]
    assert "FOLDER_MISSING" in zap(capsys, "flow", "list", "--root", "nowhere")[2]
    assert zap(capsys, "flow-worker", "--once")[0] == 2


def test_a_broken_flow_is_told_of_once_and_keeps_no_other_from_being_listed(home, capsys):
    (home / "flows/one/flow.toml").write_text("name = 3\n")

    code, given, said = zap(capsys, "flow", "list")

    assert (code, given.split("\t")[0]) == (0, "two")
    assert said.count("Left out: flows/one/flow.toml") == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "No such file"), (b"{", "JSON"), (b"[" * 100_000, "too deep"), (b"\xff", "utf-8"), (b"[]", "object")],
)
def test_what_is_no_event_is_told_and_not_sent(content, why, tmp_path, capsys):
    file = tmp_path / "event.json"
    if content is not None:
        file.write_bytes(content)

    for verb in ("fire", "dispatch"):
        code, _, said = zap(capsys, "flow", verb, "--event", str(file))
        assert (code, why in said, "Traceback" in said) == (2, True, False), said


@pytest.mark.parametrize(
    "words", [("--slots", "0"), ("--drain-s", "-1"), ("--drain-s", "nan"), ("--code-mode", "'"), ("--runner", "perl")]
)
def test_a_worker_that_is_asked_for_what_cannot_be_says_so(words, home, capsys):
    code, _, said = zap(capsys, "flow-worker", *words)

    assert (code, "USAGE: " in said) == (2, True)


# --- with a server ----------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_empty_house_has_no_rows_and_knows_no_names(capsys):
    for verb, rows in (("events", "events"), ("runs", "runs")):
        code, given, said = zap(capsys, "flow", verb)
        assert (code, given, said) == (0, "", "There are none.\n")
        assert json.loads(zap(capsys, "flow", verb, "--json")[1]) == {rows: []}
    for words in (("show", "e1"), ("show", "frun_none"), ("tail", "x"), ("cancel", "x"), ("replay", "x")):
        code, _, said = zap(capsys, "flow", *words)
        assert (code, "NOT_FOUND" in said) == (2, True)


@pytest.mark.django_db
@pytest.mark.parametrize("limit", ["0", "-3", "many"])
def test_a_limit_is_a_number_of_rows(limit, capsys):
    code, _, said = zap(capsys, "flow", "runs", "--limit", limit)

    assert (code, "limit" in said) == (2, True)


@pytest.mark.django_db
def test_an_event_that_nobody_listens_to_is_accepted_and_told_so(home, capsys):
    code, _, said = zap(capsys, "flow", "dispatch", "--event", "event.json")

    assert code == 0
    assert "accepted: e1, 0 runs." in said
    assert "listens to 'pushed'" in said
    assert "duplicate: e1" in zap(capsys, "flow", "dispatch", "--event", "event.json")[2]
    (home / "event.json").write_text(json.dumps(event(payload={"other": 1})))
    code, given, _ = zap(capsys, "flow", "dispatch", "--event", "event.json", "--json")
    assert (code, json.loads(given)["code"]) == (4, "EVENT_ID_REUSED")


@pytest.mark.django_db
def test_an_event_s_id_may_be_of_any_letters_and_look_like_a_run_s(home, capsys):
    for name in ("日本/é:1", "frun_0123456789abcdef", "a%2Fb", "50%"):
        (home / "event.json").write_text(json.dumps(event(name)))
        assert zap(capsys, "flow", "dispatch", "--event", "event.json")[0] == 0

        code, given, _ = zap(capsys, "flow", "show", name)
        assert (code, json.loads(given)["event"]["id"]) == (0, name)
        assert zap(capsys, "flow", "replay", name)[0] == 0
    assert FlowEvent.objects.filter(replays=1).count() == 4


@pytest.mark.django_db
def test_the_output_of_two_attempts_is_told_apart_and_stdout_holds_the_step_s_bytes_alone(home, capsys):
    first = begun(retryOnFail=True, backoffMs=0, maxAttempts=2)
    output.append(first.attempt_id, first.token, [piece(1, "one\n"), piece(2, "oops", "stderr")])
    results.fail(first.attempt_id, first.token, "It broke.\noops")
    (second,) = claims.claim("w2")
    output.append(second.attempt_id, second.token, [piece(1, "two")])
    results.fail(second.attempt_id, second.token, "It broke again.\nanother")

    code, given, said = zap(capsys, "flow", "tail", first.run_id)

    assert (code, given) == (1, "one\ntwo")
    assert said == "oops\n--- attempt 2 ---\n\nci/build failed.\nIt broke again.\n"
    document = json.loads(zap(capsys, "flow", "tail", first.run_id, "--json")[1])
    assert (document["status"], [one["attemptNumber"] for one in document["output"]]) == ("failed", [1, 1, 2])


@pytest.mark.django_db
def test_who_tails_a_run_that_waits_is_told_for_what_and_of_its_end(home, capsys, monkeypatch):
    sync("ci", step())
    main(["flow", "dispatch", "--event", "event.json"])
    run = FlowRun.objects.get()

    monkeypatch.setattr("cli.flow_tail.time.sleep", lambda _: results.cancel(run.run_id))
    code, given, said = zap(capsys, "flow", "tail", run.run_id)

    assert (code, given, said) == (1, "", "ci/build waits for a worker.\nci/build canceled.\n")
    assert "RUN_ENDED" not in zap(capsys, "flow", "cancel", run.run_id)[2]


@pytest.mark.django_db
def test_who_waits_for_a_step_that_says_of_itself_that_it_failed_is_told_by_the_exit_code(home, capsys):
    lease = begun()
    results.complete(lease.attempt_id, lease.token, {"status": "failed"})

    assert zap(capsys, "flow", "dispatch", "--event", "event.json", "--wait")[0] == 1
    assert zap(capsys, "flow", "dispatch", "--event", "event.json")[0] == 0


@pytest.mark.django_db
def test_a_list_has_a_head_and_says_that_there_is_more(home, capsys):
    begun()
    main(["flow", "replay", "e1"])

    code, given, said = zap(capsys, "flow", "runs", "--limit", "1")

    assert [row.split()[:3] for row in given.splitlines()] == [
        ["run", "flow/step", "status"],
        [FlowRun.objects.latest("pk").run_id, "ci/build", "queued"],
    ]
    assert (code, "There are more" in said) == (0, True)


# --- a server elsewhere -----------------------------------------------------------------------------------------------


@pytest.fixture
def server(live_server, monkeypatch):
    """A server, and a key of its staff."""
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(make_user("sam", staff=True), "worker")[1])


@pytest.mark.django_db(transaction=True)
def test_a_worker_does_what_there_is_and_ends(server, home, capsys, caplog):
    (home / "flows/two/run.py").write_text("raise SystemExit(3)\n")
    caplog.set_level(logging.INFO, "flow_worker")
    assert zap(capsys, "flow-worker", "--once")[0] == 0
    main(["flow", "dispatch", "--event", "event.json"])

    code, _, said = zap(capsys, "flow-worker", "--once", "--slots", "2")

    assert (code, "2 attempts done." in said) == (0, True)
    assert set(FlowRun.objects.values_list("flow_name", "status")) == {("one", "completed"), ("two", "failed")}
    ended = "\n".join(caplog.messages)
    assert re.search(r"run=frun_\w+ attempt=1 became=completed step=one/build", ended)
    assert re.search(r"run=frun_\w+ attempt=1 became=failed step=two/build The step ended with exit code 3\.", ended)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("words", [("--once",), ()])
@pytest.mark.parametrize("token", ["", "zap_aaaaaaaa_nobody"])
def test_a_worker_that_is_not_let_in_ends_instead_of_asking_for_ever(server, home, capsys, monkeypatch, token, words):
    monkeypatch.setenv("ZAP_TOKEN", token)
    monkeypatch.setattr("flow_worker.worker._AGAIN_S", 0.0)

    code, _, said = zap(capsys, "flow-worker", *words)

    assert (code, "token" in said) == (4, True)


def test_a_worker_that_is_to_end_does_not_wait_for_a_server_that_is_away(home, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("ZAP_API_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("cli.client.time.sleep", lambda _: None)

    for words in (("flow-worker", "--once"), ("flow", "runs"), ("flow", "dispatch", "--event", "event.json")):
        code, _, said = zap(capsys, *words)
        assert (code, "API_UNREACHABLE" in said) == (1, True)


@pytest.mark.django_db(transaction=True)
def test_what_is_wrong_with_a_flow_is_said_with_its_place(server, home, capsys, caplog):
    toml = home / "flows/one/flow.toml"
    toml.write_text(toml.read_text().replace('"python"', '"perl"'))

    assert zap(capsys, "flow-worker", "--once")[0] == 0

    (refused,) = [line for line in caplog.messages if "refused" in line]
    assert "steps[0].runner" in refused


@pytest.mark.parametrize("verb", ["list", "fire", "dispatch", "events", "runs", "show", "replay", "cancel", "tail"])
def test_every_word_that_a_verb_takes_is_explained(verb, capsys):
    with pytest.raises(SystemExit):
        main(["flow", verb, "--help"])

    for line in capsys.readouterr().out.splitlines():
        if re.match(r"  (-|[A-Z]|id)", line):
            assert re.search(r"\S  +\S|^  \S+ [A-Z]+$", line) or len(line) > 22, line
