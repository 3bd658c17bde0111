"""What the tests of flows are made of."""

from datetime import UTC, datetime, timedelta

from flows import claims, events, manifests

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def step(name="build", *, on="pushed", runner="python", **more):
    return {"name": name, "runner": runner, "script": "run.py", "trigger": {"type": on}, **more}


def sync(name="ci", *steps, version=1, **more):
    return manifests.sync({"name": name, "version": version, "steps": list(steps) or [step()], **more}, at=NOON)


def event(event_id="e1", *, type="pushed", payload=None, **more):
    return {"id": event_id, "type": type, "payload": {} if payload is None else payload, **more}


def dispatch(*args, at=NOON, **more):
    return events.dispatch(event(*args, **more), at=at)


def claim(worker="w1", *, at=NOON, **more):
    return claims.claim(worker, at=at, **more)


def claim_one(worker="w1", *, at=NOON, **more):
    (lease,) = claim(worker, at=at, **more)
    return lease
