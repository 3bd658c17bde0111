"""Any sequence of what senders, workers, operators and the sweep may do, against a small model, with a clock of ours.

FLOWS_EXAMPLES=1000 looks for more, and at other sequences each time.
"""

import logging
import os

import pytest
from django.db import connection
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from core.errors import Conflict, NotFound
from flows import claims, events, manifests, output, results, sweep
from flows.models import FlowRun
from flows.refusals import EventChanged, OutputGap, RunEnded
from tests.integration.flows.checks import Checked
from tests.integration.flows.making import NOON, after, event
from tests.integration.flows.model import FINAL, LEAST_LEASE_S, Flow, backoff_s, micro, steps

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = int(os.environ.get("FLOWS_EXAMPLES", "0"))
TABLES = "flow_output, flow_attempts, flow_runs, flow_replays, flow_events, flow_triggers, flow_manifest_versions"
SOME, FLOWS = st.integers(0, 20), st.sampled_from(["ci", "web"])
MOMENT_S = 0.000_001


class Sequence(Checked):
    """See the module."""

    def __init__(self):
        super().__init__()
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {TABLES}, flow_manifests, flow_sweep_logs")
        for flow in self.model.flows:
            self.sync(flow, 1)

    @initialize(
        types=st.lists(st.sampled_from(["pushed", "urgent"]), min_size=3, max_size=4),
        count=st.sampled_from([2, 5, 50]), lasts_s=st.sampled_from([LEAST_LEASE_S, 25]),
    )  # fmt: skip
    def work_is_under_way(self, types, count, lasts_s):
        """Leases are given out, and at least one run waits for its turn."""
        for which, type in enumerate(types):
            self.send(which, type, 1)
        self.claim(count, lasts_s, ["python", "node"], None, ["gpu"])

    @rule(seconds=st.sampled_from([0, 1, 9, 10, 10.001, 11, 40]))
    def time_passes(self, seconds):
        self.model.now = micro(self.model.now + seconds)

    @rule(
        which=SOME, past_s=st.sampled_from([0, 0, MOMENT_S]), swept=st.booleans(),
        work=st.sampled_from(["heartbeat", "complete", "fail", "release"]),
    )  # fmt: skip
    def use_a_lease_in_its_last_moment_or_the_next(self, which, past_s, swept, work):
        if held := self.pick(self.model.open(), which):
            self.model.now = micro(held.until + past_s)
            if swept:
                self.sweep()
            getattr(self, work)(held, {"heartbeat": 0, "complete": {}, "fail": True, "release": 0}[work])

    @rule(flow=FLOWS, edition=st.sampled_from([1, 2]))
    def sync(self, flow, edition):
        row, _ = manifests.sync({"name": flow, "version": edition, "steps": steps(edition)[flow]}, at=self.at)
        known = self.model.flows[flow]
        known.edition, known.is_there = edition, True
        assert (row.version, row.is_live) == (edition, not known.is_off)

    @rule(flow=FLOWS, verb=st.sampled_from(["disable", "enable", "enable", "delete"]))
    def switch(self, flow, verb):
        known: Flow = self.model.flows[flow]
        work = {
            "disable": lambda: manifests.set_disabled(flow, True, at=self.at),
            "enable": lambda: manifests.set_disabled(flow, False, at=self.at),
            "delete": lambda: manifests.delete(flow, at=self.at),
        }[verb]
        if not known.is_there:
            with pytest.raises(NotFound):
                work()
            return
        work()
        known.is_off = {"disable": True, "enable": False}.get(verb, known.is_off)
        known.is_there = verb != "delete"

    @rule(which=st.integers(0, 9), type=st.sampled_from(["pushed", "pushed", "urgent", "unknown"]), n=st.integers(0, 1))
    def send(self, which, type, n):
        name, said = f"e{which}", (type, n)
        known = self.model.events.get(name)
        work = lambda: events.dispatch(event(name, type=type, payload={"n": n}), at=self.at)  # noqa: E731
        if known and known["said"] != said:
            with pytest.raises(EventChanged) as caught:
                work()
            assert list(caught.value.extra["runIds"]) == known["runs"]
            return
        done = work()
        if known:
            assert (done.status, list(done.run_ids), done.matched) == ("duplicate", known["runs"], 0)
            return
        self.model.events[name] = {"said": said, "runs": [], "replays": {}}
        self.made(done, name)

    def made(self, done, name):
        """What was accepted is what the flows of now ask for."""
        type, n = self.model.events[name]["said"]
        made = [(*one, one[2].get("delayMs", 0) / 1000) for one in self.model.matches(type, n)]
        assert (done.status, done.event_id, done.matched) == ("accepted", name, len(made))
        self.model.add(name, list(done.run_ids), made, n=n)

    @rule(which=SOME, key=st.sampled_from(["", "a", "b"]))
    def replay(self, which, key):
        name = self.pick(self.model.events, which)
        if name is None:
            with pytest.raises(NotFound):
                events.replay("e0", at=self.at)
            return
        done, before = events.replay(name, key=key, at=self.at), self.model.events[name]["replays"]
        if key in before:
            assert (done.status, done.run_ids, done.matched) == ("duplicate", before[key], 0)
            return
        self.made(done, name)
        if key:
            before[key] = done.run_ids

    @rule(
        count=st.sampled_from([1, 1, 2, 50]), lasts_s=st.sampled_from([0, LEAST_LEASE_S, 25]),
        runners=st.sampled_from([["python"], ["node"], ["python", "node"], ["python", "node", "bun"]]),
        flows=st.sampled_from([None, None, None, ["ci"], []]), labels=st.sampled_from([["gpu"], ["gpu", "eu"], []]),
    )  # fmt: skip
    def claim(self, count, lasts_s, runners, flows, labels):
        best = self.model.best(runners, flows, labels)[:count]
        leases = claims.claim(
            "w", count=count, lasts_ms=lasts_s * 1000, runners=runners, flows=flows, labels=labels, at=self.at
        )
        assert [lease.run_id for lease in leases] == [run.run_id for run in best]
        for lease, run in zip(leases, best, strict=True):
            self.model.claim(lease, run, lasts_s)
            assert (lease.number, lease.until) == (run.tries, after(self.model.held[-1].until))
            assert (lease.step["step"], lease.flow_version) == (run.step, run.version)
            type, n = self.model.events[run.event]["said"]
            assert (lease.event["id"], lease.event["type"], lease.event["payload"]) == (run.event, type, {"n": n})

    def report(self, held, work):
        """Do it where the model says that the lease is held; else see it refused by its name. The answer, or None."""
        refusal = held.refusal(self.model.now)
        if not refusal:
            return work()
        with pytest.raises(Conflict) as caught:
            work()
        assert type(caught.value).__name__ == refusal
        return None

    @rule(which=SOME, lasts_s=st.sampled_from([0, LEAST_LEASE_S, 30]))
    def heartbeat(self, which, lasts_s):
        if held := self.lease(which):
            attempt, token = held.lease.attempt_id, held.lease.token
            until = self.report(held, lambda: claims.heartbeat(attempt, token, lasts_ms=lasts_s * 1000, at=self.at))
            if until:
                held.until = max(held.until, micro(self.model.now + max(lasts_s, LEAST_LEASE_S)))
                assert until == after(held.until)

    @rule(which=SOME)
    def show_a_wrong_token(self, which):
        if held := self.lease(which):
            with pytest.raises(Conflict) as caught:
                results.complete(held.lease.attempt_id, f"{held.lease.token}x", {}, at=self.at)
            assert type(caught.value).__name__ == "LeaseLost"

    @rule(which=SOME, skip=st.integers(0, 2), count=st.integers(1, 3))
    def write(self, which, skip, count):
        if held := self.lease(which):
            first = max(1, held.written + skip)
            pieces = [{"seq": first + n, "kind": "stdout", "text": f"{first + n}"} for n in range(count)]
            add = lambda: output.append(held.lease.attempt_id, held.lease.token, pieces, at=self.at)  # noqa: E731
            if not held.refusal(self.model.now) and first > held.written + 1:
                with pytest.raises(OutputGap):
                    add()
            elif stored := self.report(held, add):
                held.written = max(held.written, first + count - 1)
                assert stored.last_seq == held.written

    @rule(which=SOME, result=st.sampled_from([{}, {"status": "blocked"}, None, "text"]))
    def complete(self, which, result):
        if held := self.lease(which):
            said = ("completed", repr(result))
            work = lambda: results.complete(held.lease.attempt_id, held.lease.token, result, at=self.at)  # noqa: E731
            if held.said == said:
                assert work() == held.run.run_id
            elif self.report(held, work):
                self.model.end(held, "completed", said, result=result)

    @rule(which=SOME, retry=st.sampled_from([None, True, False]))
    def fail(self, which, retry):
        if held := self.lease(which):
            may = held.run.step.get("retryOnFail", False) if retry is None else retry
            work = lambda: results.fail(held.lease.attempt_id, held.lease.token, "no", retry=retry, at=self.at)  # noqa: E731
            self.given_back(held, ("failed", retry), work, again=may, wait_s=None)

    @rule(which=SOME, delay_s=st.sampled_from([0, 5]))
    def release(self, which, delay_s):
        if held := self.lease(which):
            attempt, token = held.lease.attempt_id, held.lease.token
            work = lambda: claims.release(attempt, token, delay_ms=delay_s * 1000, at=self.at)  # noqa: E731
            self.given_back(held, ("released",), work, again=True, wait_s=delay_s)

    def given_back(self, held, said, work, *, again, wait_s):
        """A report after which the run may be tried again."""
        if held.said == said:
            assert work() == held.became
        elif became := self.report(held, work):
            run = self.model.lose(held, said, wait_s=wait_s, again=again)
            assert became == held.became
            self.wait(run)
            self.model.give_turns([run.key] if run.status == "failed" else [])

    def wait(self, run):
        """Chance has a part in when a run is due again: it is within bounds, and known from here on."""
        if run.status == "queued" and run.due is None:
            least, most = backoff_s(run, self.model.now)
            due = (FlowRun.objects.get(run_id=run.run_id).due_at - NOON).total_seconds()
            assert least <= due <= most
            run.due = due

    @rule(which=SOME)
    def cancel(self, which):
        if (run_id := self.pick(self.model.runs, which)) is None:
            return
        self.stop(self.model.runs[run_id])

    @rule(which=SOME, is_held=st.booleans())
    def cancel_where_runs_wait(self, which, is_held):
        """One that waits for its turn, or one that keeps another waiting."""
        waiting = {run.key for run in self.model.runs.values() if run.is_held}
        queue = [run for run in self.model.runs.values() if run.key in waiting and run.status not in FINAL]
        if run := self.pick([run for run in queue if run.is_held == is_held], which):
            self.stop(run)

    def stop(self, run):
        run_id = run.run_id
        if run.status in ("completed", "failed"):
            with pytest.raises(RunEnded):
                results.cancel(run_id, at=self.at)
            return
        results.cancel(run_id, at=self.at)
        if run.status != "canceled":
            self.model.cancel(run)

    @rule(which=SOME)
    def redrive(self, which):
        if (run_id := self.pick(self.model.runs, which)) is None:
            return
        run = self.model.runs[run_id]
        if run.status not in ("failed", "canceled"):
            with pytest.raises(RunEnded):
                events.redrive(run_id, at=self.at)
            return
        self.model.redrive(events.redrive(run_id, at=self.at), run)

    @rule()
    def sweep(self):
        log = sweep.sweep(at=self.at)
        assert (log.status, log.error_count) == ("success", 0)
        late = [held for held in self.model.held if not held.end and held.until < self.model.now]
        runs = [self.model.lose(held, ("expired",), wait_s=None) for held in late]
        for run in runs:
            self.wait(run)
        self.model.give_turns(run.key for run in runs if run.status == "failed")


def test_whatever_happens_in_whatever_order_every_promise_is_kept(monkeypatch):
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)
    run_state_machine_as_test(
        Sequence,
        settings=settings(
            max_examples=EXAMPLES or 80, stateful_step_count=40, derandomize=not EXAMPLES, database=None, deadline=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
        ),
    )  # fmt: skip
