"""The Python client and the service at work: a film is planned, ordered, followed, decided upon and kept."""

import pytest
from zaps_client import Refused, Zaps

from accounts.caller import Scope
from accounts.tokens import create_token
from media.mock import mock_media
from runs.models import Run
from tests.examples import EXAMPLES
from tests.integration.people import make_user

ORDER = {"source": EXAMPLES["gate"], "inputs": {"ANIMAL": "a heron"}, "mode": "mock"}


@pytest.fixture
def zaps(stack):
    stack.start("worker", "drain", "beat", "web")
    key = create_token(make_user("anna"), "script", (Scope.READ, Scope.RUN))[1]
    with Zaps(stack.address, key=key) as zaps:
        yield zaps


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
