"""What is looked at after each step of a sequence, and what its steps choose by."""

from hypothesis.stateful import RuleBasedStateMachine, invariant

from flows import hooks, sweep
from flows.models import FlowAttempt, FlowEvent, FlowOutput, FlowRun
from tests.integration.flows.making import after
from tests.integration.flows.model import FINAL, LIMIT, Held, Model


class Checked(RuleBasedStateMachine):
    """A machine whose rows say what its model says, and that hears once of every end."""

    def __init__(self):
        super().__init__()
        self.model, self.finals, self.heard, self.ends = Model(), {}, [], 0
        self.hook = hooks.on_final(self.hear)

    def hear(self, run):
        """Every third time nobody can be told."""
        self.ends += 1
        if self.ends % 3 == 0:
            raise RuntimeError("not now")
        self.heard.append((run.run_id, run.status))

    def teardown(self):
        for _ in range(2):
            while FlowRun.objects.filter(status__in=FINAL, is_told=False).exists():
                sweep.sweep(at=self.at)
        hooks.remove(self.hook)
        ended = FlowRun.objects.filter(status__in=FINAL).values_list("run_id", "status")
        assert set(self.heard) == set(ended)
        assert len(self.heard) == len(ended)

    @property
    def at(self):
        return after(self.model.now)

    def pick(self, rows, which):
        """One of them, of late ones rather than of early ones; None where there is none."""
        rows = list(rows)
        return rows[-1 - which % len(rows)] if rows else None

    def lease(self, which):
        """One of those given out, three times of four one that is held where there is one; a lease is itself."""
        if isinstance(which, Held):
            return which
        return self.pick((which % 4 and self.model.open()) or self.model.held, which)

    @invariant()
    def every_row_says_what_the_model_says(self):
        rows = {row.run_id: row for row in FlowRun.objects.all()}
        assert list(reversed(rows)) == list(self.model.runs)
        for run_id, run in self.model.runs.items():
            row = rows[run_id]
            said = (row.status, row.is_held, row.attempt_count, row.is_dead, row.result, row.flow_name, row.step_name)
            assert said == (
                run.status, run.is_held, run.tries, run.is_dead, run.result, run.flow, run.step["name"],
            )  # fmt: skip
            assert row.due_at == after(run.due)
            assert (row.started_at, row.completed_at) == tuple(
                None if moment is None else after(moment) for moment in (run.started, run.ended)
            )
            if run.status in FINAL:
                seen = (row.error, row.result_status, row.canceled_by, row.updated_at)
                assert self.finals.setdefault(run_id, seen) == seen
        for key in {run.key for run in self.model.runs.values()} - {""}:
            assert sum(row.concurrency_key == key and row.status == "running" for row in rows.values()) <= LIMIT

    @invariant()
    def every_attempt_has_its_number_and_its_end(self):
        ends = {"": "running", "completed": "completed", "canceled": "canceled"}
        held = sorted(self.model.held, key=lambda one: (one.run.serial, one.lease.number))
        rows = FlowAttempt.objects.order_by("run_id", "number")
        assert list(rows.values_list("run__run_id", "number", "status", "lease_until", "output_seq")) == [
            (one.run.run_id, one.lease.number, ends.get(one.end, "failed"), after(one.until), one.written)
            for one in held
        ]
        pieces = FlowOutput.objects.order_by("attempt__run_id", "attempt__number", "seq").values_list("text", flat=True)
        assert list(pieces) == [str(n + 1) for one in held for n in range(one.written)]
        assert FlowEvent.objects.count() == len(self.model.events)
