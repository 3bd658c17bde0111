"""Everybody around the engine, on one thread: a vendor, a judge, a local kind, the broker's bells and the clock.

At each boundary of its work (`reach`) something may happen before the engine goes on: the worker dies, or somebody else
acts in the meantime. So interleavings need no threads, and a failing sequence can be played again.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.errors import StaleState
from providers.contract import Hook, JobState, Output
from providers.errors import KeyRefused, NotSent, Rejected, Unavailable
from providers.mock_media import MockMedia
from runs.engine import advance, drain, poll, render, settle, submit, webhook
from runs.engine.cron_logs import CycleReport
from runs.transitions import batches

REFUSALS = {
    "refused": Rejected(reason="PROVIDER_REJECTED"),
    "no_credit": KeyRefused(reason="INSUFFICIENT_CREDITS"),
    "not_sent": NotSent(),
    "limited": Unavailable(reason="RATE_LIMITED"),
}
SUBMISSIONS = ("taken", "instant", "unknown", "unknown_lost", "broken", *REFUSALS)
ENDS = ("done", "failed", "stopped", "empty")
LOOKS = ("pass", "fail", "unavailable", "refused", "broken")


class Killed(BaseException):
    """The worker is gone: what it had not committed never happened."""


class Broken(Exception):
    """An adapter or a judge that nobody expected to raise this."""


@dataclass
class VendorJob:
    """What the vendor knows of a job. `bill` is None where the vendor does not say."""

    idem: str
    number: int
    token: str | None = None  # of the address where we want to be called
    state: JobState = JobState.RUNNING
    bill: Decimal | None = None
    error: str = ""
    outputs: tuple[Output, ...] = ()


@dataclass
class Mood:
    """How everybody behaves while one bell is answered."""

    submission: str = "taken"
    asked: str = "fine"  # or busy, or broken
    look: str = "pass"
    happens: tuple[int, str] | None = None  # how many boundaries are passed before, and what


@dataclass
class World:
    """The state of everything that is not ours."""

    bells: list = field(default_factory=list)
    jobs: dict = field(default_factory=dict)
    sent: Counter = field(default_factory=Counter)
    wrongs: list = field(default_factory=list)  # what the engine did to us that it never may
    mood: Mood = field(default_factory=Mood)
    healthy: bool = False  # every job ends well, as soon as somebody asks
    deaf: bool = False  # the vendor does not hear that a job should stop
    recovers: bool = False  # the vendor can be asked what became of a submission
    deeds: dict = field(default_factory=dict)  # by name: what else can happen at a boundary

    def ring(self, verb, pk):
        self.bells.append((verb, pk))
        return True

    def answer(self, bell, mood=None):
        """What a worker does with the message. One that dies, or finds that somebody was first, leaves no trace."""
        before, self.mood = self.mood, replace(mood or Mood())
        try:
            self._do(*bell)
        except (StaleState, Killed, Broken):
            pass
        finally:
            self.mood = before

    def _do(self, verb, pk):
        if verb == "advance":
            advance.advance_run(pk)
        elif verb == "render":
            render.render_attempt(pk)
        elif verb == "settle":
            settle.settle_attempt(pk)
        else:
            following = submit.submit_attempt(pk) if verb == "submit" else poll.poll_attempt(pk)
            if following.settle:
                self.ring("settle", pk)
            elif following.wait_s is not None and verb == "submit":  # later ones would find that it is not due
                self.ring("poll", pk)

    def drain(self, mood=None):
        """One cycle: everything that is due is rung for, and every job that is due is looked at."""
        before, self.mood = self.mood, replace(mood or Mood())
        report = CycleReport()
        try:
            drain.ring_due(report)
            for leased in batches.claim_polls(100):
                self._look_at(leased)
        except (StaleState, Killed, Broken):
            pass
        finally:
            self.mood = before
        assert not report.errors or "Broken" in report.last_error, report.last_error

    def _look_at(self, leased):
        snapshot, error = poll.ask_provider(leased)
        if poll.is_ready(leased, snapshot):
            for bell in batches.begin_settling([leased]):
                self.ring("settle", bell.attempt_id)
        else:
            batches.write_looks([poll.look_at(leased, snapshot, error)])

    def reach(self):
        """The engine is at a boundary of its work. Whatever is to happen happens once."""
        if self.mood.happens is None:
            return
        passed, what = self.mood.happens
        if passed:
            self.mood.happens = (passed - 1, what)
            return
        self.mood.happens = None
        if what == "killed":
            raise Killed
        before, self.mood = self.mood, Mood()
        self.deeds[what]()
        self.mood = before

    def buy(self, idem, callback_url):
        job = VendorJob(idem, len(self.jobs) + 1, callback_url and callback_url.rpartition("/")[2])
        self.jobs[f"job_{job.number}"] = job
        return job

    def end(self, job, how, bill=None):
        """The vendor ends a job that is at work; the others stay as they ended."""
        if job.state != JobState.RUNNING:
            return
        job.bill = bill
        if how == "failed":
            job.state, job.error = JobState.FAILED, "PROVIDER_FAILED"
        elif how == "stopped":
            job.state = JobState.CANCELED
        else:
            job.state = JobState.DONE
            picture = MockMedia(kind="png", seed=str(job.number % 3), width=64, height=64).url()
            job.outputs = () if how == "empty" else (Output(url=picture),)

    def call(self, job, event):
        """The vendor calls us about a job, with an event that it may have told us of before."""
        if job.token:
            body = json.dumps({"job": f"job_{job.number}", "event": f"{job.number}-{event}"}).encode()
            webhook.receive("vendor", job.token, Hook(headers={}, body=body, received_at=0))
