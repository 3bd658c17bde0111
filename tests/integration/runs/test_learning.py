"""What the engine leaves behind is what learning reads."""

import pytest
from django.utils import timezone

from runs import control
from runs.learning.compiling import compile_and_save
from runs.learning.evidence import gather
from tests.integration.learning.rows import caller_of, order_run
from tests.integration.people import make_user

pytestmark = pytest.mark.django_db(transaction=True)

FILM = """---
zap: blue-door
version: 2
description: A door opens.
budget: {estimate_usd: 0.4, cap_usd: 9}
steps:
  - {id: door, kind: image.gen, prompt: A door, candidates: 2, judge: {threshold: 0.1}}
  - {id: lost, kind: image.gen, prompt: A key, retry: {max: 1}, params: {mock: {fail: PROVIDER_FAILED}}}
---
"""


def test_a_run_with_candidates_and_a_branch_of_it_are_counted_and_compiled(bells):
    alice = make_user("alice")
    run = order_run(FILM.replace("fail: PROVIDER_FAILED", "latency_s: 0"), alice, mode="mock")
    bells.answer_all()
    control.rerun_from(run.run_id, "door", actor="alice")
    bells.answer_all()
    failed = order_run(FILM, alice, mode="mock")
    bells.answer_all()
    run.refresh_from_db()
    failed.refresh_from_db()
    assert (run.status, failed.status) == ("done", "failed")

    found = gather("blue-door", caller_of(alice), days=1, now=timezone.now()).mock.facts

    door, lost = found.steps
    assert (found.runs.done, found.runs.failed) == (1, 1)
    assert (door.done, door.results, door.failed_attempts) == (2, door.attempts, 0)
    assert door.choices == 2
    assert door.scores.count >= 4
    assert (lost.done, lost.failed, lost.failures["PROVIDER_FAILED"]) == (1, 1, 2)
    assert lost.retries >= 1

    zap = compile_and_save(run, alice).zap
    branch = order_run(zap.source, alice, mode="mock")
    bells.answer_all()
    branch.refresh_from_db()
    assert branch.status == "done"
    assert branch.zap_slug == "blue-door-2"
