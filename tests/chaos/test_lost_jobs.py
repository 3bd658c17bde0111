"""kill -9 between a paid request and its recorded answer, at a vendor that can be asked for the job."""

import pytest

from tests.chaos.truth import assert_files_are_there, assert_true_to_itself, facts_of, wait_for
from tests.factories import make_run, planned
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_job_that_a_killed_worker_had_bought_is_found_and_nothing_is_bought_twice(workers, emulator):
    desk = emulator.desks["runware"]
    desk.plan.add({"on": "submit", "do": "slow", "delay_s": 60})
    workers.environment |= {"RUNWARE_API_KEY": "secret", "RUNWARE_BASE_URL": emulator.urls["runware"]}
    workers.start("worker")
    run = make_run(planned("a", provider="runware", model="runware:101@1", quote="0.0038"), mode="live")
    wait_until(desk.journal.accepted)
    workers.kill("worker")

    workers.start("worker", "drain", "beat")

    wait_for(run, "done")
    assert len(desk.journal.accepted()) == 1
    assert run.attempts.get().provider_request_id == desk.journal.accepted()[0].request_id
    (facts,) = facts_of(run)
    assert_true_to_itself(facts)
    assert_files_are_there(facts)
