"""The worker beside a real server: which runs it asks for, and what becomes of them there."""

import pytest

from flow_worker.backend import Backend, over_http
from flow_worker.commands import Surroundings
from flow_worker.worker import Options, Worker
from flows import claims, events, queries
from tests import bun
from tests.integration.flows.making import event
from tests.integration.flows.test_runners import BUN, NODE, SCRIPTS


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.setenv("PATH", bun.PATH)


@pytest.fixture
def works(port, key, tmp_path):
    """Let a worker do all there is to do for a flow that has a step of each of these runners."""

    def works(*runners, **options):
        folder = tmp_path / "ci"
        folder.mkdir(exist_ok=True)
        steps = [
            f'[[steps]]\nname = "{runner}"\nrunner = "{runner}"\nscript = "{runner}.mjs"\n'
            '[steps.trigger]\ntype = "pushed"\n'
            for runner in runners
        ]
        (folder / "flow.toml").write_text("\n".join(['name = "ci"', "version = 1", *steps]))
        for runner in runners:
            (folder / f"{runner}.mjs").write_text(SCRIPTS.get(runner, SCRIPTS["shell"]))
        server = Backend(over_http(f"http://127.0.0.1:{port}/api/flows", key))
        Worker(server, Options(roots=[tmp_path], once=True, **options)).run()

    return works


def ended(runner):
    (run,) = queries.runs(runner=runner)
    return run.status, run.result, run.error


@pytest.mark.parametrize("runner", [NODE, BUN, "python", "shell"])
def test_a_step_of_each_runner_is_done_and_its_result_and_output_are_kept(works, runner):
    works(runner)
    events.dispatch(event("e1"))

    works(runner)

    assert ended(runner) == ("completed", {"status": "changed", "event": "e1"}, None)
    (run,) = queries.runs()
    assert "FLOW_RESULT" in "".join(piece.text for piece in queries.output_tail(run))


def test_code_mode_is_left_lying_by_a_worker_that_nobody_allowed_it(works):
    works("code-mode", "shell")
    events.dispatch(event("e1"))

    works("code-mode", "shell")

    assert ended("shell")[0] == "completed"
    assert ended("code-mode") == ("queued", None, None)
    assert claims.claim("w") == []


def test_code_mode_is_done_by_a_worker_that_was_given_its_program(works):
    allowed = {"runners": ["code-mode"], "around": Surroundings(code_mode=("/bin/sh",))}
    works("code-mode")
    events.dispatch(event("e1"))

    works("code-mode", **allowed)

    assert ended("code-mode") == ("completed", {"status": "changed", "event": "e1"}, None)


def test_code_mode_that_is_asked_for_without_a_program_is_refused_and_not_run(works, tmp_path):
    works("code-mode")
    events.dispatch(event("e1"))

    works("code-mode", runners=["code-mode"])

    status, result, error = ended("code-mode")
    assert (status, result) == ("failed", None)
    assert error == "code-mode is not allowed on this worker: start it with --code-mode PROGRAM."
    assert list(queries.output_tail(queries.runs().get())) == []


def test_a_step_whose_runner_this_machine_lacks_is_left_for_another_worker(works, monkeypatch, tmp_path):
    works("node", "python")
    events.dispatch(event("e1"))
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    works("node", "python")

    assert ended("python")[0] == "completed"
    assert ended("node") == ("queued", None, None)
