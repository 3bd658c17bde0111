"""A flow worker without a server."""

import json
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from flow_worker.backend import Unreachable
from flow_worker.commands import CannotRun, Command, Surroundings, command_for
from flow_worker.outcome import Listener
from flow_worker.packages import PackageBroken, discover, read_package
from flow_worker.process import Running
from flow_worker.transcript import Transcript
from tests.processes import wait_until

FLOW = """
name = "ci"
version = 2
[[steps]]
name = "build"
runner = "python"
script = "build.py"
timeout_ms = 5000
[steps.trigger]
type = "pushed"
schema = "pushed.json"
"""


def package(folder, text=FLOW, **files):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "flow.toml").write_text(text)
    (folder / "build.py").write_text("print('hello')\n")
    (folder / "pushed.json").write_text('{"type": "object"}')
    for name, content in files.items():
        (folder / name).write_text(content)
    return folder


def claimed(**step):
    return {
        "runId": "frun_1", "attemptId": "frun_1.1", "attemptNumber": 1, "leaseToken": "t", "flowName": "ci",
        "flowVersion": 2, "stepName": "build", "runner": "python", "replay": False, "config": {"a": 1},
        "event": {"id": "e/1", "type": "pushed", "payload": {}},
        "step": {"name": "build", "script": "build.py", "timeoutMs": 5000, **step},
    }  # fmt: skip


def run(code, *, timeout_s=20.0, feed=b"", cwd="."):
    heard = []
    command = Command(words=(sys.executable, "-u", "-c", code), cwd=cwd, environment={}, feed=feed, timeout_s=timeout_s)
    running = Running(command, lambda kind, text: heard.append((kind, text)))
    return running, heard


def outcome_of(lines):
    listener = Listener()
    for line in lines:
        listener.hear(line)
    return listener.outcome(code=0, last_words="")


def test_a_package_is_read_with_its_schema(tmp_path):
    found = read_package(package(tmp_path / "ci"))

    (step,) = found.manifest["steps"]
    assert step["trigger"] == {"type": "pushed", "schema": "pushed.json", "schemaJson": {"type": "object"}}
    assert step["timeoutMs"] == 5000


def test_a_broken_package_is_told_of_and_keeps_no_other_from_being_found(tmp_path):
    package(tmp_path / "a", "name = ")
    package(tmp_path / "b")

    found = discover([tmp_path / "missing", tmp_path])

    assert [one.name for one in found.packages] == ["ci"]
    assert len(found.broken) == 1
    assert "flow.toml" in found.broken[0]


def test_of_two_packages_of_a_name_the_first_root_s_wins(tmp_path):
    package(tmp_path / "installed" / "z")
    package(tmp_path / "source" / "a")

    assert discover([tmp_path / "installed", tmp_path / "source"]).packages[0].root.name == "z"


@pytest.mark.parametrize("script", ["../evil.py", "/etc/passwd", "a/../../evil.py"])
def test_a_script_cannot_leave_its_package(tmp_path, script):
    with pytest.raises(PackageBroken, match="leads out"):
        read_package(package(tmp_path / "ci", FLOW.replace("build.py", script)))


def test_a_link_that_leads_out_of_the_package_is_followed_and_refused(tmp_path):
    folder = package(tmp_path / "ci")
    (tmp_path / "evil.py").write_text("")
    (folder / "build.py").unlink()
    (folder / "build.py").symlink_to(tmp_path / "evil.py")

    with pytest.raises(PackageBroken, match="leads out"):
        read_package(folder)


def test_what_the_server_names_is_looked_at_again_before_it_is_run(tmp_path):
    found = read_package(package(tmp_path / "ci"))

    with pytest.raises(CannotRun, match="leads out"):
        command_for(claimed(script="../../bin/sh"), found, Surroundings())


def test_a_step_sees_its_context_and_none_of_the_worker_s_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("ZAP_TOKEN", "secret")
    monkeypatch.setenv("DEPLOY", "yes")

    command = command_for(claimed(), read_package(package(tmp_path / "ci")), Surroundings(pass_on=("DEPLOY",)))

    assert command.environment["CODEX_FLOW_EVENT_ID"] == "e/1"
    assert command.environment["CODEX_FLOW_ATTEMPT_ID"] == "frun_1.1"
    assert command.environment["DEPLOY"] == "yes"
    assert "ZAP_TOKEN" not in command.environment
    context = json.loads(command.feed)
    assert context["flow"]["config"] == {"a": 1}
    assert context["runtime"]["replay"] is False


def test_code_mode_is_closed_where_nobody_opened_it(tmp_path):
    found = read_package(package(tmp_path / "ci"))

    with pytest.raises(CannotRun, match="not allowed"):
        command_for({**claimed(), "runner": "code-mode"}, found, Surroundings())


def test_the_last_line_that_holds_a_result_counts_and_a_mention_does_not():
    said = outcome_of(
        ['FLOW_RESULT {"status": "blocked"}', 'log: FLOW_RESULT {"status": "changed", "n": 1}', "no FLOW_RESULT here"]
    )

    assert said.result == {"status": "changed", "n": 1}


@pytest.mark.parametrize(
    "line", ["", "FLOW_RESULT", "FLOW_RESULT []", 'FLOW_RESULT {"status": "canceled"}', "FLOW_RESULT {"]
)
def test_a_step_without_a_result_that_can_be_read_has_failed(line):
    assert outcome_of([line]).error


def test_output_comes_while_the_step_runs_and_its_input_is_whole():
    running, heard = run("import sys; print(len(sys.stdin.read())); print('x', file=sys.stderr)", feed=b"a" * 300_000)

    assert running.wait().code == 0
    assert "".join(text for kind, text in heard if kind == "stdout") == "300000\n"
    assert "".join(text for kind, text in heard if kind == "stderr") == "x\n"


def test_a_step_that_ignores_term_is_killed_with_all_that_it_started(monkeypatch):
    ahead_s = 0.0
    monkeypatch.setattr("flow_worker.process.GRACE_S", 0.3)
    monkeypatch.setattr("flow_worker.process.time", SimpleNamespace(monotonic=lambda: time.monotonic() + ahead_s))
    child = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"
    code = (
        "import signal, subprocess, sys, time; signal.signal(15, signal.SIG_IGN);"
        f"print(subprocess.Popen([sys.executable, '-c', {child!r}]).pid, flush=True); time.sleep(60)"
    )
    running, heard = run(code, timeout_s=60.0)
    wait_until(lambda: heard and heard[-1][1].endswith("\n"))

    ahead_s = 61.0
    ended = running.wait()

    assert ended.is_timed_out
    assert ended.code == -9
    grandchild = int("".join(text for _, text in heard))
    wait_until(lambda: is_gone(grandchild))


def is_gone(pid):
    """Nobody has to collect it: it may lie there as a zombie."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_grandchild_that_holds_the_output_does_not_hold_the_worker():
    code = (
        "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('done')"
    )
    running, heard = run(code)

    assert running.wait().code == 0
    assert "".join(text for _, text in heard) == "done\n"


def test_output_that_could_not_be_sent_is_kept_in_its_order():
    sent, fails = [], [True]

    def send(pieces):
        if fails.pop() if fails else False:
            raise Unreachable
        sent.extend(pieces)

    transcript = Transcript(send)
    transcript.write("stdout", 'a\nFLOW_RESULT {"status"')
    with pytest.raises(Unreachable):
        transcript.flush()
    transcript.write("stdout", ': "completed"}')
    transcript.close()
    transcript.flush()

    assert [piece["seq"] for piece in sent] == [1, 2]
    assert transcript.listener.outcome(code=0, last_words="").result == {"status": "completed"}
