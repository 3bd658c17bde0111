"""Everybody around the engine, on one thread: a vendor, a judge, a local kind, the broker's bells and the clock.

At each boundary of its work (`reach`) something may happen before the engine goes on: the worker dies, or somebody else
acts in the meantime. So interleavings need no threads, and a failing sequence can be played again.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import ClassVar

from django.db import connection

from core.errors import StaleState
from providers.contract import CancelState, Cost, Hint, Hook, Job, JobState, Output, Provider, Snapshot
from providers.errors import KeyRefused, NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.mock_media import MockMedia
from runs import circuits
from runs.engine import advance, drain, poll, render, settle, submit, webhook
from runs.engine.cron_logs import CycleReport
from runs.judges import JudgeRefused, JudgeUnavailable, Verdict
from runs.models import Attempt
from runs.transitions import batches
from zaps.kind import StepKind, UnusableMaterial
from zaps.planned import LOCAL

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
            webhook.receive(Vendor.name, job.token, Hook(headers={}, body=body, received_at=0))


class Vendor(Provider):
    """The world's vendor, as the engine sees it."""

    name = "vendor"
    webhooks = "token"
    world: ClassVar[World]

    def default_model(self, capability):
        return "vendor/one"

    def check(self, generation):
        return []

    def submit(self, generation, *, key, idem_key, callback_url=None):
        world, how = self.world, self.world.mood.submission
        status = Attempt.objects.values_list("status", flat=True).get(idem_key=idem_key)
        if status != "submitting":
            world.wrongs.append(f"{idem_key} was sent while it was {status}")
        if world.sent[idem_key]:
            world.wrongs.append(f"{idem_key} may have arrived, and was sent again")
        if how in REFUSALS:
            raise REFUSALS[how]
        world.sent[idem_key] += 1
        job = None if how == "unknown_lost" else world.buy(idem_key, callback_url)
        if how == "instant":
            world.end(job, "done")
        world.reach()
        if how.startswith("unknown"):
            raise SubmissionUnknown
        if how == "broken":
            raise Broken
        snapshot = _snapshot(job) if how == "instant" else None
        return Job(request_id=f"job_{job.number}", model=generation.model, snapshot=snapshot)
        yield

    def poll(self, job, *, key):
        world = self.world
        world.reach()
        if world.mood.asked == "busy":
            raise Unavailable
        if world.mood.asked == "broken":
            raise Broken
        known = world.jobs[job.request_id]
        if world.healthy:
            world.end(known, "done")
        return _snapshot(known)
        yield

    def cancel(self, job, *, key):
        known = self.world.jobs[job.request_id]
        if self.world.deaf or known.state != JobState.RUNNING:
            return CancelState.REQUESTED
        self.world.end(known, "stopped", Decimal(0))
        return CancelState.CANCELED
        yield

    def read_webhook(self, hook, *, key, secret):
        said = json.loads(hook.body)
        return Hint(request_id=said["job"], event_id=said["event"])
        yield


def _snapshot(job):
    cost = None if job.bill is None else Cost(usd=job.bill, source="reported")
    return Snapshot(state=job.state, outputs=job.outputs, error_code=job.error or None, cost=cost)


class Critic:
    """A judge that thinks what the world's mood says."""

    name = "critic"
    kinds = frozenset({"png"})
    quote_usd = Decimal("0.01")

    def __init__(self, world):
        self._world = world

    def judge(self, sample):
        self._world.reach()
        look = self._world.mood.look
        if look == "unavailable":
            raise JudgeUnavailable
        if look == "refused":
            raise JudgeRefused(usd=self.quote_usd, cost_source="quoted")
        if look == "broken":
            raise Broken
        overall = Decimal("0.9") if look == "pass" else Decimal("0.1")
        return Verdict(
            overall=overall, scores={}, rater="vlm", judge=self.name, usd=self.quote_usd, cost_source="reported"
        )


def local_kind(world):
    """A step of our own machine: it hands on the first picture that it is given, or fails where there is none."""

    def copy(job):
        world.reach()
        if world.mood.asked == "broken":
            raise Broken
        if not job.inputs:
            raise UnusableMaterial
        return [job.inputs[0].path]

    return StepKind(name="test.copy", makes="png", render=copy)


def install(world, monkeypatch, settings):
    """Put the world around the engine."""
    from providers.registry import PROVIDERS
    from runs import dispatch
    from zaps.kind import KINDS

    Vendor.world = world
    monkeypatch.setitem(PROVIDERS.entries, "vendor", Vendor())
    monkeypatch.setitem(KINDS.entries, "test.copy", local_kind(world))
    monkeypatch.setattr("runs.engine.judge.judges_for", lambda mode, kind: (Critic(world),))
    monkeypatch.setattr(dispatch, "ring_advance", lambda pk: world.ring("advance", pk))
    monkeypatch.setattr(dispatch, "ring_poll", lambda pk, key: world.ring("poll", pk))
    monkeypatch.setattr(dispatch, "ring_settle", lambda pk, key: world.ring("settle", pk))
    monkeypatch.setattr(
        dispatch, "ring_begin", lambda pk, key, provider: world.ring("render" if provider == LOCAL else "submit", pk)
    )
    keep = settle.keep

    def keep_and_tell(*args, **kwargs):
        stored = keep(*args, **kwargs)
        world.reach()
        return stored

    monkeypatch.setattr(settle, "keep", keep_and_tell)
    settings.ZAP_PUBLIC_URL, settings.ZAP_WEBHOOKS = "https://zaps.example", True
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }


_TIMES = {
    "runs": ("due_at", "rung_at"),
    "steps": ("due_at",),
    "attempts": ("due_at", "lease_until", "rung_at", "deadline_at", "submitted_at", "accepted_at", "heard_at"),
    "circuits": ("retry_at", "opened_at"),
}


def let_pass(seconds):
    """Time passes: every moment that is written down lies so much further back."""
    with connection.cursor() as cursor:
        for table, columns in _TIMES.items():
            earlier = ", ".join(f"{column} = {column} - %s * interval '1 second'" for column in columns)
            cursor.execute(f"UPDATE {table} SET {earlier}", [seconds] * len(columns))
    circuits.forget()


def forget_everything():
    """Empty tables, for the next example: without the triggers, and sooner than by TRUNCATE."""
    tables = ["feedback", "assets", "webhooks", "attempts", "run_events", "steps", "runs"]
    tables += ["ledger", "budgets", "circuits", "allowances"]
    deletes = "; ".join(f"DELETE FROM {table}" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; {deletes}; SET session_replication_role = DEFAULT")
    circuits.forget()
