"""The clients and the service at work: a film is planned, ordered, followed, decided upon and kept."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from accounts.caller import Scope
from accounts.tokens import create_token
from clients.node import CLIENT, FRONTEND
from media.mock import mock_media
from runs.models import Run
from tests.examples import EXAMPLES
from tests.integration.people import make_user
from tests.node import needs_node
from zaps_client import Refused, Zaps

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "clients.md").read_text("utf-8")
ORDER = {"source": EXAMPLES["gate"], "inputs": {"ANIMAL": "a heron"}, "mode": "mock"}


@pytest.fixture
def key(stack):
    """Of Anna, for the service, which is at work."""
    call_command("load_recipes", verbosity=0)
    stack.start("worker", "drain", "beat", "web")
    return create_token(make_user("anna"), "script", (Scope.READ, Scope.RUN))[1]


@pytest.fixture
def zaps(stack, key):
    with Zaps(stack.address, key=key) as zaps:
        yield zaps


def example(language, stack):
    """The page's example, for the service of this test."""
    text = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    return text.replace("http://localhost:8000", stack.address)


def run(*command, **given):
    """What it prints. Fails the test, with what it said, when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_program_plans_orders_follows_decides_and_keeps_a_film(zaps, tmp_path):
    picture = tmp_path / "heron.png"
    picture.write_bytes(mock_media("png", seed="heron", label="A heron"))

    assert zaps.upload(picture)["contentType"] == "image/png"
    assert zaps.plan(ORDER)["status"] == "planned"
    run_id = zaps.run(ORDER, idempotency_key="once")["runId"]
    assert zaps.run(ORDER, idempotency_key="once")["runId"] == run_id
    for snapshot in zaps.follow(run_id):
        for step in snapshot["steps"]:
            if "approve" in step["can"]:
                picked = step["waits"]["choices"][1]["assetId"]
                zaps.approve(run_id, {"stepId": step["stepId"], "assetId": picked})

    assert snapshot["run"]["status"] == "done"
    zaps.save(snapshot["run"]["zapUrl"], tmp_path / "film.mp4")
    assert (tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"
    assert zaps.feedback(run_id, {"vote": "up"})["feedback"][-1]["scores"]["vote"] == "up"
    assert [run["runId"] for run in zaps.runs(status="done")["runs"]] == [run_id]
    assert Run.objects.get().steps.get(step_id="mask").chosen.assets.get().asset_id == picked
    with pytest.raises(Refused, match="done already") as refused:
        zaps.act(run_id, "cancel")
    assert refused.value.code == "RUN_STATE_FORBIDS"


@needs_node
def test_the_pages_examples_do_what_they_say(stack, key, tmp_path):
    key_of = {**os.environ, "ZAP_TOKEN": key, "PYTHONPATH": str(ROOT / "clients" / "python")}
    made = CLIENT / "dist" / "page"
    made.mkdir(parents=True, exist_ok=True)
    (made / "page.ts").write_text(example("ts", stack), "utf-8")
    (made / "tsconfig.json").write_text(json.dumps({"extends": "../../test/tsconfig.json", "files": ["page.ts"]}))

    run(CLIENT / "node_modules/.bin/tsc", "--noEmit", "-p", made)
    bundle = ("--bundle", "--platform=node", "--format=esm", f"--outfile={made}/page.mjs")
    run(FRONTEND / "node_modules/.bin/esbuild", made / "page.ts", *bundle, "--log-level=warning")
    told = run("node", made / "page.mjs", env=key_of)
    run(sys.executable, "-c", example("python", stack), cwd=tmp_path, env=key_of)

    assert "the mock makes it for nothing" in told
    assert re.search(r"^\d{4,} bytes of film$", told, re.MULTILINE)
    assert (tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"
