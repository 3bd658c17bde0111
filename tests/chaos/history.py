"""The event log of a run, played again: it must be a life that is allowed, and end where the rows stand."""

_RUN_FINAL = {"done", "failed", "canceled"}
_STEP_FINAL = {*_RUN_FINAL, "skipped"}
_RUN = {
    "accepted": (set(), "queued"),
    "started": ({"queued"}, "running"),
    "held": ({"running"}, "waiting"),
    "resumed": ({"waiting"}, "running"),
    "finished": ({"running"}, "done"),
    "failed": ({"queued", "running", "waiting"}, "failed"),
    "canceled": ({"queued", "running", "waiting"}, "canceled"),
    "reopened": ({"waiting", *_RUN_FINAL}, "running"),
}
_STEP = {
    "started": ({"queued"}, "running"),
    "held": ({"queued", "running"}, "waiting"),
    "resumed": ({"waiting"}, "running"),
    "finished": ({"running"}, "done"),
    "approved": ({"waiting"}, "done"),
    "reused": ({"queued"}, "done"),
    "failed": ({"running", "waiting"}, "failed"),
    "skipped": ({"queued"}, "skipped"),
    "canceled": ({"queued", "running", "waiting"}, "canceled"),
    "reopened": ({"waiting", *_STEP_FINAL}, "queued"),
}
_ATTEMPT = {
    "planned": (set(), "planned"),
    "submitting": ({"planned"}, "submitting"),
    "postponed": ({"submitting", "unknown"}, "planned"),
    "accepted": ({"submitting", "unknown"}, "accepted"),
    "unknown": ({"submitting"}, "unknown"),
    "settling": ({"accepted"}, "settling"),
    "rendering": ({"planned"}, "settling"),
    "done": ({"settling"}, "done"),
    "failed": ({"planned", "submitting", "accepted", "settling", "unknown"}, "failed"),
    "canceling": ({"submitting", "accepted", "settling", "unknown"}, "canceling"),
    "canceled": ({"planned", "settling", "canceling"}, "canceled"),
}
_NO_MOVE = {"step.judged", "attempt.held_back", "attempt.resolved", "attempt.unfound"}
_US = {"worker", "drain", "webhook"}


def replay(facts):
    """Fails where an event leaves a state that it may not leave, or the rows stand elsewhere than the log ends."""
    at = {step.step_id: "skipped" if step.spec["skipped"] else "queued" for step in facts.steps}
    steps = {step.step_id: step for step in facts.steps}
    tries, run, held_for = {}, None, {}
    for event in facts.events:
        kind, _, what = event.type.partition(".")
        if kind == "feedback" or event.type in _NO_MOVE:
            continue
        if kind == "run":
            run = _moved(event, run, _RUN[what])
        elif kind == "attempt":
            tries[event.subject] = _moved(event, tries.get(event.subject), _ATTEMPT[what])
        else:
            if at[event.subject] == "waiting" and event.actor in _US:
                assert_may_decide_alone(event, what, held_for[event.subject], steps[event.subject])
            at[event.subject] = _moved(event, at[event.subject], _STEP[what])
            held_for[event.subject] = event.reason
    assert run == facts.run.status, "the log of the run ends elsewhere"
    assert at == {step.step_id: step.status for step in facts.steps}, "the log of the steps ends elsewhere"
    made = {_name(one): one.status for one in facts.attempts if one.cost_source != "reused"}
    assert tries == made, "the log of the attempts ends elsewhere"


def assert_may_decide_alone(event, what, held_for, step):
    """A step that waits for a person is moved without one only by its own rules for the case that nobody comes."""
    gate = step.spec["gate"] or (step.spec["judge"] or {}).get("hold") or {}
    if what == "resumed":
        assert held_for == "SUBMISSION_UNKNOWN", f"{step} waited for {held_for}, and a late answer went past it"
    elif what == "approved":
        assert gate.get("on_timeout") == "approve", f"{step} was approved by nobody"
    elif what == "failed":
        assert event.reason == "GATE_TIMED_OUT", f"{step} was given up while it waited for {held_for}"
    else:
        assert what == "reopened", f"{event} of a step that waited for {held_for}"
        assert held_for.endswith(("SPEND_CAP", "BUDGET_EXCEEDED")), f"{step} waited for {held_for} and was begun anew"


def _moved(event, status, move):
    sources, target = move
    allowed = status in sources if sources else status is None
    assert allowed, f"{event}: from {status}"
    return target


def _name(attempt):
    return f"{attempt.step.step_id}#{attempt.number}"
