"""Where ZAP_POLL_DRAIN_URL is set, beat and `zap drain` ask that address instead of draining themselves."""

import json
import os
import subprocess
import sys
from urllib.error import HTTPError

import pytest

from embedded.stack import ROOT
from runs.models import CronLog
from tests.chaos.fal import paid
from tests.chaos.truth import assert_nothing_lost, attempt_in, wait_for
from tests.factories import make_run
from tests.processes import PATIENCE_S, post, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "as-secret-as-a-test-can-be"


@pytest.fixture
def served(workers):
    """The processes, told to use the endpoint that `web` serves."""
    workers.environment["ZAP_POLL_DRAIN_URL"] = f"{workers.address}/api/providers/poll/drain"
    workers.environment["ZAP_POLL_DRAIN_SECRET"] = SECRET
    return workers


def zap_drain(stack, **environment):
    """`zap drain --json`: its exit code and its document."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", "drain", "--json"],
        env={**os.environ, **stack.environment, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_beat_drains_through_the_endpoint_and_the_endpoint_finds_what_was_lost(served, fal, broker):
    fal.work_for(2)
    served.start("worker")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")
    served.kill("worker")
    broker.flushall()

    served.start("web", "worker", "drain", "beat")
    wait_for(run, "done")

    asked = wait_until(lambda: CronLog.objects.filter(job_name="drain-endpoint", status="success").first())
    assert asked.error == ""
    assert CronLog.objects.filter(job_name="endpoint", status="success").exists()
    assert not CronLog.objects.filter(job_name="drain").exists()
    assert_nothing_lost(run, fal)


def test_zap_drain_asks_the_endpoint_and_counts_what_it_did(served, fal):
    served.start("worker")
    fal.work_for(60)
    run = make_run(paid("a"), mode="live")
    attempt_in(run, "accepted")
    served.kill("worker")
    served.start("web")
    fal.work_for(0)

    code, report = wait_until(lambda: (said := zap_drain(served))[1]["processedCount"] and said)

    assert (code, report["status"]) == (0, "success")
    log = CronLog.objects.filter(job_name="drain-endpoint").latest("pk")
    assert (log.status, log.processed_count) == ("success", report["processedCount"])


def test_a_wrong_secret_is_refused_and_leaves_a_failed_row(served):
    served.start("web")

    with pytest.raises(HTTPError) as refused:
        post(f"{served.address}/api/providers/poll/drain", {})
    refused.value.close()
    code, report = zap_drain(served, ZAP_POLL_DRAIN_SECRET="not-the-secret-of-the-endpoint")

    assert refused.value.code == 401
    assert (code, report["status"]) == (1, "failed")
    log = CronLog.objects.get()
    assert (log.job_name, log.status, log.error_count) == ("drain-endpoint", "failed", 1)
    assert log.error.startswith("KEY_INVALID")


def test_an_endpoint_that_does_not_answer_leaves_a_failed_row(served):
    code, report = zap_drain(served)

    assert (code, report["status"]) == (1, "failed")
    assert CronLog.objects.get().status == "failed"
