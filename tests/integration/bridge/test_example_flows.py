"""The example flows' steps, carried out by hand against a real server. tests/e2e has the whole way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connections

from flow_worker.packages import discover
from flows import manifests
from runs.deletion.erase import delete_run
from runs.models import Run
from tests.integration.bridge.ways import finish
from tests.integration.live.server import Server
from tests.integration.people import bearer

EXAMPLES = Path(__file__).parents[3] / "examples" / "flows"


@pytest.fixture
def carry_out(transactional_db, monkeypatch, sam, tmp_path):
    """carry_out("flow/script.py", event's payload, **config) → what the step says of itself."""
    # Without the server's pool, every request's thread would leave a connection behind.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    key = bearer(sam)["Authorization"].removeprefix("Bearer ")

    def run(script, payload, **config):
        context = {"flow": {"config": config, "event": {"payload": payload}}, "runtime": {"runId": "frun_1"}}
        environment = {"PATH": os.environ["PATH"], "ZAP_API_URL": f"http://127.0.0.1:{server.port}", "ZAP_RUN_KEY": key}
        done = subprocess.run(
            [sys.executable, str(EXAMPLES / script)],
            input=json.dumps(context), env=environment, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.rpartition("FLOW_RESULT ")[2])

    with Server() as server:
        yield run


def test_they_can_be_synced(db):
    found = discover([EXAMPLES])

    assert found.broken == ()
    for package in found.packages:
        manifests.sync(package.manifest)


def test_an_order_that_is_refused_asks_for_a_person(carry_out):
    result = carry_out("make-a-film/film.py", {"creature": "a newt"}, recipe="no-such-film", mode="mock", max_usd=2)

    assert result["status"] == "blocked"
    assert "NOT_FOUND" in result["reason"]
    assert not Run.objects.exists()


def test_of_a_run_that_was_deleted_no_note_is_written(bells, carry_out, tmp_path):
    run = finish(bells)
    delete_run(run.run_id, actor="user:1")

    result = carry_out("note-a-film/note.py", {"runId": run.run_id}, folder="notes")

    assert result["status"] == "skipped"
    assert not (tmp_path / "notes").exists()
