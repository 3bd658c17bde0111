"""Any sequence of what senders, workers, operators and the sweep may do, against a small model, with a clock of ours.

FLOWS_EXAMPLES=1000 looks for more, and at other sequences each time.
"""

import logging
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import NotFound
from flows import claims, events, hooks, manifests, output, results, sweep
from flows.models import FlowAttempt, FlowEvent, FlowManifest, FlowOutput, FlowRun, FlowTrigger
from flows.refusals import EventChanged, LeaseLost, OutputGap, RunCanceled, RunEnded
from flows.states import FINAL
from tests.integration.flows.making import after, event, step

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = int(os.environ.get("FLOWS_EXAMPLES", "0"))
SOME = st.integers(0, 20)
LIMIT, ATTEMPTS, LEASE_S = 2, 3, 10
STEPS = (
    step("plain", maxAttempts=ATTEMPTS, backoffMs=0),
    step("high", on="urgent", priority=5, maxAttempts=1, retryOnFail=True),
    step("keyed", maxAttempts=2, backoffMs=0, concurrency={"key": "k-{payload.n}", "limit": LIMIT}, runner="node"),
    step("late", on="urgent", delayMs=30_000, maxAttempts=2, backoffMs=0, runner="node"),
)


@dataclass
class Known:
    """What the model knows of a run."""

    status: str = "queued"
    tries: int = 0
    order: tuple = ()


@dataclass
class Held:
    """A lease that was given out, and until which second it is good."""

    lease: object
    until: float
    over: bool = False
    written: int = 0
    said: tuple = field(default_factory=tuple)


class Sequence(RuleBasedStateMachine):
    """See the module."""

    def __init__(self):
        super().__init__()
        for table in (FlowOutput, FlowAttempt, FlowRun):
            table.objects.all().delete()
        for table in (FlowEvent, FlowTrigger, FlowManifest):
            table.objects.all().delete()
        self.now, self.sent, self.runs, self.held, self.finals, self.live = 0, {}, {}, [], {}, False
        self.heard = []
        self.hook = hooks.on_final(lambda run: self.heard.append((run.run_id, run.status)))
        self.sync()

    def teardown(self):
        sweep.sweep(at=self.at)
        hooks.remove(self.hook)
        assert {run for run, _ in self.heard} == {run for run, one in self.runs.items() if one.status in FINAL}
        assert all(self.runs[run].status == status for run, status in self.heard)

    @property
    def at(self):
        return after(self.now)

    def newly(self, run_ids):
        for row in FlowRun.objects.filter(run_id__in=run_ids):
            assert row.run_id not in self.runs
            self.runs[row.run_id] = Known()

    def pick(self, rows, which):
        rows = list(rows)
        return rows[which % len(rows)] if rows else None

    @rule(seconds=st.sampled_from([0, 1, 9, 10, 11, 40]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def sync(self):
        manifests.sync({"name": "ci", "version": 1, "steps": list(STEPS)}, at=self.at)
        self.live = True

    @rule(disabled=st.booleans())
    def switch(self, disabled):
        manifests.set_disabled("ci", disabled, at=self.at)
        self.live = not disabled

    @rule(which=st.integers(0, 5), type=st.sampled_from(["pushed", "pushed", "urgent", "unknown"]), n=st.integers(0, 1))
    def send(self, which, type, n):
        name, said = f"e{which}", (type, n)
        known = self.sent.get(name)
        if known and known[0] != said:
            with pytest.raises(EventChanged) as caught:
                events.dispatch(event(name, type=type, payload={"n": n}), at=self.at)
            assert list(caught.value.extra["runIds"]) == known[1]
            return
        done = events.dispatch(event(name, type=type, payload={"n": n}), at=self.at)
        if known:
            assert (done.status, list(done.run_ids), done.matched) == ("duplicate", known[1], 0)
            return
        expected = sum(one["trigger"]["type"] == type for one in STEPS) if self.is_live else 0
        assert (done.status, done.matched, len(set(done.run_ids))) == ("accepted", expected, expected)
        self.sent[name] = (said, list(done.run_ids))
        self.newly(done.run_ids)

    @property
    def is_live(self):
        return FlowManifest.objects.get().is_live

    @rule(which=SOME, key=st.sampled_from(["", "a", "b"]))
    def replay(self, which, key):
        name = self.pick(self.sent, which)
        if name is None:
            with pytest.raises(NotFound):
                events.replay("e0", at=self.at)
            return
        first, again = events.replay(name, key=key, at=self.at), events.replay(name, key=key, at=self.at)
        assert (again.run_ids == first.run_ids) if key else set(first.run_ids).isdisjoint(again.run_ids)
        for done in [first] if key else [first, again]:
            if done.status == "accepted":
                self.newly(done.run_ids)
                self.sent[name][1].extend(done.run_ids)

    @rule(
        count=st.sampled_from([1, 1, 2, 50]), lasts_s=st.sampled_from([0, LEASE_S, 25]),
        runners=st.sampled_from([["python"], ["node"], ["python", "node"]]),
    )  # fmt: skip
    def claim(self, count, lasts_s, runners):
        ready = FlowRun.objects.filter(status="queued", is_held=False, runner__in=runners, due_at__lte=self.at)
        best = [row.run_id for row in ready.order_by("-priority", "due_at", "pk")]
        leases = claims.claim("w", count=count, lasts_ms=lasts_s * 1000, runners=runners, at=self.at)
        given = [lease.run_id for lease in leases]
        if count == 1 or len(runners) == 1:
            assert given == best[:count]
        assert len(given) == min(count, len(best))
        for lease in leases:
            one = self.runs[lease.run_id]
            assert one.status == "queued"
            one.status, one.tries = "running", one.tries + 1
            assert lease.number == one.tries <= lease.max_attempts
            assert lease.until == after(self.now + max(lasts_s, LEASE_S))
            self.held.append(Held(lease, self.now + max(lasts_s, LEASE_S)))

    def report(self, held, work):
        """Do it if the model says that the lease is held; else see it refused. The answer, or None."""
        if not held.over and self.now <= held.until:
            return work()
        one = self.runs[held.lease.run_id]
        kind = (
            RunCanceled
            if one.status == "canceled" and one.tries == held.lease.number and held.said == ()
            else LeaseLost
        )
        with pytest.raises(kind):
            work()
        return None

    def ended(self, held, status, said):
        held.over, held.said = True, said
        self.runs[held.lease.run_id].status = str(status)

    @rule(which=SOME, lasts_s=st.sampled_from([0, LEASE_S, 30]))
    def heartbeat(self, which, lasts_s):
        if held := self.pick(self.held, which):
            lease = held.lease
            until = self.report(
                held, lambda: claims.heartbeat(lease.attempt_id, lease.token, lasts_ms=lasts_s * 1000, at=self.at)
            )
            if until:
                held.until = max(held.until, self.now + max(lasts_s, LEASE_S))
                assert until == after(held.until)

    @rule(which=SOME, skip=st.integers(0, 2), count=st.integers(1, 3))
    def write(self, which, skip, count):
        if held := self.pick(self.held, which):
            first = max(1, held.written + skip)
            pieces = [{"seq": first + n, "kind": "stdout", "text": "x"} for n in range(count)]
            add = lambda: output.append(held.lease.attempt_id, held.lease.token, pieces, at=self.at)  # noqa: E731
            if not held.over and self.now <= held.until and first > held.written + 1:
                with pytest.raises(OutputGap):
                    add()
            elif stored := self.report(held, add):
                held.written = max(held.written, first + count - 1)
                assert stored.last_seq == held.written

    @rule(which=SOME, result=st.sampled_from([{}, {"status": "blocked"}, None, "text"]))
    def complete(self, which, result):
        if held := self.pick(self.held, which):
            lease, said = held.lease, ("completed", repr(result))
            if held.said == said:
                assert results.complete(lease.attempt_id, lease.token, result, at=self.at) == lease.run_id
            elif self.report(held, lambda: results.complete(lease.attempt_id, lease.token, result, at=self.at)):
                self.ended(held, "completed", said)

    @rule(which=SOME, retry=st.sampled_from([None, True, False]))
    def fail(self, which, retry):
        if held := self.pick(self.held, which):
            lease, said = held.lease, ("failed", retry)
            may = lease.step["step"].get("retryOnFail", False) if retry is None else retry
            became = "queued" if may and lease.number < lease.max_attempts else "failed"
            if held.said == said:
                assert results.fail(lease.attempt_id, lease.token, "no", retry=retry, at=self.at) == became
            elif told := self.report(
                held, lambda: results.fail(lease.attempt_id, lease.token, "no", retry=retry, at=self.at)
            ):
                assert told == became
                self.ended(held, became, said)

    @rule(which=SOME)
    def release(self, which):
        held = self.pick(self.held, which)
        if held and held.said != ("released",):
            lease = held.lease
            if became := self.report(held, lambda: claims.release(lease.attempt_id, lease.token, at=self.at)):
                assert became == ("queued" if lease.number < lease.max_attempts else "failed")
                self.ended(held, became, ("released",))

    @rule(which=SOME)
    def cancel(self, which):
        run_id = self.pick(self.runs, which)
        if run_id is None:
            return
        one = self.runs[run_id]
        if one.status in ("completed", "failed"):
            with pytest.raises(RunEnded):
                results.cancel(run_id, at=self.at)
            return
        results.cancel(run_id, at=self.at)
        one.status = "canceled"
        for held in self.held:
            if held.lease.run_id == run_id:
                held.over = True

    @rule(which=SOME)
    def redrive(self, which):
        run_id = self.pick(self.runs, which)
        if run_id is None:
            return
        if self.runs[run_id].status not in ("failed", "canceled"):
            with pytest.raises(RunEnded):
                events.redrive(run_id, at=self.at)
            return
        new = events.redrive(run_id, at=self.at)
        self.newly([new])
        self.sent[FlowRun.objects.get(run_id=new).event.event_id][1].append(new)

    @rule()
    def sweep(self):
        log = sweep.sweep(at=self.at)
        assert (log.status, log.error_count) == ("success", 0)
        for held in self.held:
            if not held.over and held.until < self.now:
                left = held.lease.number < held.lease.max_attempts
                self.ended(held, "queued" if left else "failed", ("expired",))

    @invariant()
    def every_promise_is_kept(self):
        rows = {row.run_id: row for row in FlowRun.objects.all()}
        assert {run: (row.status, row.attempt_count) for run, row in rows.items()} == {
            run: (one.status, one.tries) for run, one in self.runs.items()
        }
        assert all(row.attempt_count <= row.max_attempts for row in rows.values())
        leased = list(FlowAttempt.objects.filter(status="running").values_list("run__run_id", flat=True))
        assert sorted(leased) == sorted(run for run, one in self.runs.items() if one.status == "running")
        for row in rows.values():
            if row.status in FINAL:
                seen = (row.status, row.result, row.error, row.completed_at, row.canceled_by)
                assert self.finals.setdefault(row.run_id, seen) == seen
        for key in {row.concurrency_key for row in rows.values()} - {""}:
            open_ = [row for row in rows.values() if row.concurrency_key == key and row.status in ("queued", "running")]
            turns = sum(not row.is_held for row in open_)
            assert turns == min(LIMIT, len(open_))


def test_whatever_happens_in_whatever_order_every_promise_is_kept(monkeypatch):
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    run_state_machine_as_test(
        Sequence,
        settings=settings(
            max_examples=EXAMPLES or 6, stateful_step_count=25, derandomize=not EXAMPLES, database=None, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
