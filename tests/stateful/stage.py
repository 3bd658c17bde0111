"""The world, put around the engine: its vendor, its judge, a local kind, its bells, its clock and its empty tables."""

import json
from contextlib import suppress
from decimal import Decimal
from typing import ClassVar

from django.db import connection

from providers.contract import Call, CancelState, Cost, Hint, Job, JobState, Provider, Snapshot
from providers.errors import AddressRefused, NeverTaken, SubmissionUnknown, Unavailable
from providers.registry import PROVIDERS
from runs import circuits, dispatch
from runs.engine import settle
from runs.judges import JudgeRefused, JudgeUnavailable, Verdict
from runs.models import Attempt
from tests.stateful.world import REFUSALS, Broken, World
from zaps.kind import KINDS, StepKind, UnusableMaterial
from zaps.planned import LOCAL

# It leads nowhere; but whoever breaks after such a call may have bought something.
PAID = Call(method="POST", url="http://10.0.0.1/", paid=True)


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
            with suppress(AddressRefused):
                yield PAID
            raise Broken
        snapshot = _snapshot(job) if how == "instant" else None
        return Job(request_id=f"job_{job.number}", model=generation.model, snapshot=snapshot)

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

    @property
    def supports_recover(self):
        return self.world.recovers

    def recover(self, *, idem_key, key):
        world = self.world
        world.reach()
        if world.mood.asked == "busy":
            raise Unavailable
        if world.mood.asked == "broken":
            raise Broken
        for name, job in world.jobs.items():
            if job.idem == idem_key:
                return Job(request_id=name, model="")
        world.sent[idem_key] = 0  # what never arrived may be sent again
        raise NeverTaken
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
