"""An event asks for a film, a flow's step has it made, and its end is an event that another flow takes up."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.caller import Scope
from flows import events
from flows.models import FlowEvent, FlowManifest, FlowRun
from runs.models import Asset, Run
from tests.integration.people import bearer, make_user
from tests.processes import wait_until

ROOT = Path(__file__).parents[2]
WANTED = {"id": "wish-1", "type": "film.wanted", "payload": {"creature": "a newt"}}


@pytest.fixture
def server(stack):
    stack.environment["ZAP_FLOW_EVENTS"] = "everyone"
    call_command("load_recipes", verbosity=0)
    stack.start("worker", "drain", "beat", "web")
    return stack.address


@pytest.fixture
def examples(tmp_path):
    """A copy of the example flows, which may write beside their scripts."""
    return shutil.copytree(ROOT / "examples" / "flows", tmp_path / "flows")


@pytest.fixture
def environment(server):
    """What the worker is started with: a key of its own, and one for the steps that opens no flows."""
    sam = make_user("sam", staff=True)

    def key(*scopes):
        return bearer(sam, scopes)["Authorization"].removeprefix("Bearer ")

    kept = {name: os.environ[name] for name in ("PATH", "HOME")}
    keys = {"ZAP_TOKEN": key(Scope.READ, Scope.FLOWS), "ZAP_RUN_KEY": key(Scope.READ, Scope.RUN)}
    return {**kept, **keys, "ZAP_API_URL": server, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def worker(examples, environment, tmp_path):
    """`zap flow-worker`, at work until the test ends."""
    words = ["flow-worker", "--root", str(examples), "--env", "ZAP_API_URL", "--env", "ZAP_RUN_KEY"]
    with (tmp_path / "worker.log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", "cli", *words], cwd=tmp_path, env=environment, stdout=log, stderr=log
        )
        try:
            wait_until(lambda: FlowManifest.objects.count() == 2)
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            child.wait(90)
            print((tmp_path / "worker.log").read_text())


def carry_out_again(flow_run, examples, environment):
    """As the worker would that takes it over from one that was lost: what the step says of itself."""
    context = {
        "flow": {"config": flow_run.snapshot["config"], "event": WANTED},
        "runtime": {"runId": flow_run.run_id, "attemptNumber": 2},
    }
    done = subprocess.run(
        [sys.executable, str(examples / "make-a-film" / "film.py")],
        input=json.dumps(context), env=environment, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return json.loads(done.stdout.rpartition("FLOW_RESULT ")[2])


def test_an_event_becomes_one_film_whose_end_is_an_event_that_is_taken_up(worker, examples, environment):
    events.dispatch(WANTED)

    ended = wait_until(
        lambda: FlowRun.objects.filter(flow_name="note-a-film", status="completed").first(), within_s=240
    )

    run = Run.objects.get()
    assert (run.status, run.inputs, run.cap_usd) == ("done", {"CREATURE": "a newt"}, 2)
    assert ended.event.event_id == f"evt_{run.run_id[4:]}_{run.revision}"
    assert FlowEvent.objects.count() == 2
    film = Asset.objects.get(asset_id=ended.event.payload["film"]["assetId"])
    note = (examples / "note-a-film" / "notes" / f"{run.run_id}.md").read_text()
    assert film.url in note
    assert "CREATURE: a newt" in note
    asked = wait_until(lambda: FlowRun.objects.filter(flow_name="make-a-film", status="completed").first())
    assert (asked.result["status"], asked.result["runId"]) == ("completed", run.run_id)

    assert carry_out_again(asked, examples, environment) == asked.result
    assert Run.objects.count() == 1
