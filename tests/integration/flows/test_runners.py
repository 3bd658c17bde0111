"""What each runner makes of a step's script, by the worker's own code and the real programs."""

import shutil

import pytest

from cli.local_flows import fire
from flow_worker.commands import CannotRun, Surroundings, command_for, runners_here
from flow_worker.packages import discover, read_package
from flow_worker.process import Running
from flow_worker.transcript import Transcript
from tests import bun
from tests.node import needs_bun

needs_node = pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed: apt-get install nodejs")
NODE, BUN = pytest.param("node", marks=needs_node), pytest.param("bun", marks=needs_bun)
of_javascript = pytest.mark.parametrize("runner", [NODE, BUN])

IN_JAVASCRIPT = """import { readFileSync } from "node:fs";
const { flow } = JSON.parse(readFileSync(0, "utf8"));
console.log(`FLOW_RESULT ${JSON.stringify({ status: "changed", event: flow.event.id })}`);
"""
IN_PYTHON = """import json, sys
event = json.load(sys.stdin)["flow"]["event"]["id"]
print("FLOW_RESULT", json.dumps({"status": "changed", "event": event}))
"""
IN_SHELL = """grep -q runtime || exit 1
printf 'FLOW_RESULT {"status": "changed", "event": "%s"}\\n' "$CODEX_FLOW_EVENT_ID"
"""
#: steps that read their context and print what they found there
SCRIPTS = {"bun": IN_JAVASCRIPT, "node": IN_JAVASCRIPT, "python": IN_PYTHON, "shell": IN_SHELL}
ENDLESS = {
    "bun": "setInterval(() => {}, 1000);\n",
    "node": "setInterval(() => {}, 1000);\n",
    "python": "import threading\nthreading.Event().wait()\n",
    "shell": "exec tail -f /dev/null\n",
}
BROKEN = {
    "bun": "console.error('no disk'); process.exit(7);\n",
    "node": "console.error('no disk'); process.exit(7);\n",
    "python": "import sys\nprint('no disk', file=sys.stderr)\nsys.exit(7)\n",
    "shell": "echo 'no disk' >&2\nexit 7\n",
}
of_each = pytest.mark.parametrize("runner", [NODE, BUN, "python", "shell"])


@pytest.fixture(autouse=True)
def tools(monkeypatch):
    monkeypatch.setenv("PATH", bun.PATH)


@pytest.fixture
def do(tmp_path):
    """Run a script as a step: what came of it, and what it wrote."""

    def do(runner, text, *, name="step.mjs", timeout_ms=300_000, payload=None, around=None):
        package = _package(tmp_path, runner, name, text)
        claim = {
            "runId": "frun_1", "attemptId": "frun_1.1", "attemptNumber": 1, "flowName": "f", "flowVersion": 1,
            "stepName": "s", "runner": runner, "replay": False, "event": {"id": "e/1", "type": "t", "payload": payload},
            "step": {"name": "s", "script": name, "timeoutMs": timeout_ms},
        }  # fmt: skip
        written = []
        transcript = Transcript(written.extend)
        command = command_for(claim, package, around or Surroundings())
        ended = Running(command, transcript.write).wait()
        transcript.close()
        transcript.flush()
        return transcript.outcome(ended, timeout_s=command.timeout_s), "".join(piece["text"] for piece in written)

    return do


def _package(root, runner, name, text):
    folder = root / "f"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / "flow.toml").write_text(
        f'name = "f"\nversion = 1\n[[steps]]\nname = "s"\nrunner = "{runner}"\nscript = "{name}"\n'
        '[steps.trigger]\ntype = "t"\n'
    )
    return read_package(folder)


@of_each
def test_a_step_reads_its_context_and_its_last_line_is_its_result(do, runner):
    outcome, _ = do(runner, SCRIPTS[runner])

    assert outcome.result == {"status": "changed", "event": "e/1"}


@of_each
def test_a_step_that_ends_badly_has_failed_with_its_last_words(do, runner):
    outcome, _ = do(runner, BROKEN[runner])

    assert outcome.error == "The step ended with exit code 7.\nno disk"


@of_each
def test_a_step_that_never_ends_is_ended(do, runner):
    outcome, _ = do(runner, ENDLESS[runner], timeout_ms=500)

    assert outcome.error == "The step did not end within its 0.5 s and was stopped."


@of_javascript
@pytest.mark.parametrize(
    "text",
    [
        "export default async ({ flow, runtime: r }) => ({ status: 'blocked', of: [flow.event.id, r.attemptNumber] });",
        "function run(all) { return { status: 'blocked', of: [all.flow.event.id, all.runtime.attemptNumber] }; }\n"
        "export { run as default };",
        "const at='http://a';export default({flow:f,runtime:r})=>({status:'blocked',of:[f.event.id,r.attemptNumber]})",
    ],
    ids=["an arrow", "by name", "in one line with an address"],
)
def test_of_a_module_the_default_export_is_called_and_what_it_returns_is_the_result(do, runner, text):
    outcome, _ = do(runner, text)

    assert outcome.result == {"status": "blocked", "of": ["e/1", 1]}


@of_javascript
def test_what_a_module_writes_is_its_output_and_does_not_spoil_its_result(do, runner):
    text = "export default () => { process.stdout.write('no end'); return { status: 'completed' }; }"

    outcome, written = do(runner, text)

    assert outcome.result == {"status": "completed"}
    assert written == 'no end\nFLOW_RESULT {"status":"completed"}\n'


@of_javascript
def test_a_module_reads_a_context_of_any_length_whole(do, runner):
    payload = {"text": "ä" * 500_000}

    outcome, _ = do(
        runner,
        "export default ({ flow }) => ({ status: 'completed', length: flow.event.payload.text.length })",
        payload=payload,
    )

    assert outcome.result == {"status": "completed", "length": 500_000}


@of_javascript
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("export default () => { throw new Error('no disk'); }", "no disk"),
        ("export default async () => { throw 'no disk'; }", "no disk"),
        ("throw new Error('no disk');\nexport default () => ({});", "no disk"),
        ("export default () => 7", "The step returned no object."),
        ("export default () => [{ status: 'completed' }]", "The step returned no object."),
        ("export default { status: 'completed' }", "The module's default export is no function."),
    ],
)
def test_a_module_that_throws_or_returns_no_object_says_that_it_failed(do, runner, text, message):
    outcome, _ = do(runner, text)

    assert outcome.result == {"status": "failed", "message": message}


@of_javascript
def test_what_a_module_threw_is_told_with_its_place(do, runner):
    _, written = do(runner, "export default () => {\n  throw new Error('no disk');\n}")

    assert "step.mjs" in written


@of_javascript
def test_a_module_whose_promise_is_never_kept_has_not_completed(do, runner):
    outcome, _ = do(runner, "export default () => new Promise(() => {})", timeout_ms=20_000)

    assert outcome.result is None


@of_javascript
def test_a_script_that_only_speaks_of_modules_is_no_module(do, runner):
    outcome, _ = do(runner, f"// as default\n/* export default */\n{SCRIPTS[runner]}")

    assert outcome.result == {"status": "changed", "event": "e/1"}


@needs_bun
@pytest.mark.parametrize(
    "text",
    [
        "interface Found { status: string; id: string }\n"
        "export default async ({ flow }: any): Promise<Found> => ({ status: 'completed', id: flow.event.id });",
        "const { flow } = (await Bun.stdin.json()) as { flow: { event: { id: string } } };\n"
        "console.log('FLOW_RESULT', JSON.stringify({ status: 'completed', id: flow.event.id }));",
    ],
    ids=["a module", "a script"],
)
def test_bun_runs_typescript(do, text):
    outcome, _ = do("bun", text, name="step.ts")

    assert outcome.result == {"status": "completed", "id": "e/1"}


@pytest.mark.parametrize("runner", ["node", "bun"])
def test_where_a_runner_is_missing_the_step_says_so_and_the_worker_asks_for_none(do, runner, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CannotRun, match=f"There is no '{runner}' on this machine"):
        do(runner, SCRIPTS[runner])
    assert runners_here() == ("python", "shell")


def test_code_mode_runs_by_the_program_that_was_allowed_and_by_none_before(do, tmp_path):
    with pytest.raises(CannotRun, match="code-mode is not allowed"):
        do("code-mode", SCRIPTS["shell"])

    outcome, _ = do("code-mode", SCRIPTS["shell"], around=Surroundings(code_mode=("/bin/sh",)))

    assert outcome.result == {"status": "changed", "event": "e/1"}
    assert "code-mode" not in runners_here()


def test_a_code_mode_step_is_not_fired_on_a_machine_where_nobody_allowed_it(tmp_path):
    _package(tmp_path, "code-mode", "step", "touch ran\n")

    (fired,) = fire({"id": "e", "type": "t", "payload": {}}, discover([tmp_path]).packages)

    assert "code-mode is not allowed" in fired.document()["error"]
    assert not (tmp_path / "f" / "ran").exists()
