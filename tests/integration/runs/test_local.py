"""Steps on our own machine that end otherwise than by a film."""

import pytest

from tests.factories import make_run, planned
from tests.integration.runs.life import states, step_of
from zaps.kind import KINDS, StepKind
from zaps.planned import LOCAL

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_local_step_that_makes_nothing_fails_and_says_so(bells, monkeypatch):
    monkeypatch.setitem(
        KINDS.entries, "test.nothing", StepKind(name="test.nothing", makes="png", render=lambda job: [])
    )
    run = make_run(planned("a", kind="test.nothing", provider=LOCAL), planned("b", "a"))

    bells.answer_all()

    assert states(run) == ("failed", {"a": "failed", "b": "skipped"})
    assert (run.error, step_of(run).chosen_id) == ("LOCAL_OUTPUT_MISSING", None)
