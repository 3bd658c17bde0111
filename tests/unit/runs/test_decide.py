"""What is next in a run."""

from hypothesis import given
from hypothesis import strategies as st

from runs.decide import StepView, decide
from runs.states import STEP_FINAL, RunStatus, StepStatus


def steps(*rows):
    return [StepView(step_id=name, status=status, parents=tuple(parents)) for name, status, *parents in rows]


def test_steps_without_parents_begin_together():
    decision = decide(steps(("a", "queued"), ("b", "queued"), ("film", "queued", "a", "b")))

    assert decision.start == ("a", "b")
    assert decision.outcome == RunStatus.RUNNING


def test_a_step_begins_when_its_last_parent_is_done():
    decision = decide(steps(("a", "done"), ("b", "done"), ("film", "queued", "a", "b")))

    assert decision.start == ("film",)


def test_a_step_does_not_begin_while_a_parent_is_at_work():
    decision = decide(steps(("a", "done"), ("b", "running"), ("film", "queued", "a", "b")))

    assert decision.start == ()
    assert decision.outcome == RunStatus.RUNNING


def test_a_skipped_parent_is_not_waited_for():
    decision = decide(steps(("a", "skipped"), ("film", "queued", "a")))

    assert decision.start == ("film",)


def test_nothing_new_begins_after_a_failure_and_what_runs_may_end():
    decision = decide(steps(("a", "failed"), ("b", "running"), ("c", "queued"), ("film", "queued", "a", "b")))

    assert decision.start == ()
    assert decision.skip == ("c", "film")
    assert decision.outcome == RunStatus.RUNNING


def test_the_run_fails_when_nothing_is_at_work_after_a_failure():
    decision = decide(steps(("a", "failed"), ("b", "done"), ("film", "skipped", "a", "b")))

    assert decision.outcome == RunStatus.FAILED


def test_the_run_waits_when_only_a_person_can_go_on():
    decision = decide(steps(("a", "waiting"), ("b", "done"), ("film", "queued", "a", "b")))

    assert decision.outcome == RunStatus.WAITING


def test_the_run_is_done_when_every_step_is():
    decision = decide(steps(("a", "done"), ("film", "done", "a")))

    assert decision.outcome == RunStatus.DONE


@st.composite
def graphs(draw):
    """Steps in recipe order, each with parents among the earlier ones."""
    rows = []
    for index in range(draw(st.integers(1, 8))):
        parents = draw(st.sets(st.integers(0, index - 1))) if index else set()
        status = draw(st.sampled_from(sorted(StepStatus)))
        rows.append(StepView(step_id=str(index), status=status, parents=tuple(map(str, parents))))
    return rows


@given(graphs())
def test_a_run_never_ends_while_a_step_can_move_and_never_stalls_when_none_can(graph):
    decision = decide(graph)

    after = {s.step_id: s.status for s in graph}
    after |= dict.fromkeys(decision.skip, "skipped") | dict.fromkeys(decision.start, "running")
    if decision.outcome == RunStatus.RUNNING:
        assert "running" in after.values()
    if decision.outcome in {RunStatus.DONE, RunStatus.FAILED}:
        queued = [s for s in graph if after[s.step_id] == "queued"]
        reachable = [s for s in queued if all(after[p] in STEP_FINAL for p in s.parents)]
        assert "running" not in after.values()
        assert all(any(after[p] == "canceled" for p in s.parents) for s in reachable)


@given(graphs())
def test_a_step_never_begins_before_its_parents(graph):
    status = {s.step_id: s.status for s in graph}

    decision = decide(graph)

    for step in graph:
        if step.step_id in decision.start:
            assert all(status[parent] in {"done", "skipped"} for parent in step.parents)
