"""What must be true of a run after any fault, read from its rows, its files and the vendor's journal."""

import hashlib
from collections import Counter
from decimal import Decimal

from django.core.files.storage import default_storage

from runs.models import Run
from tests.processes import wait_until

FINAL = {"done", "failed", "canceled"}
ZERO = Decimal(0)


def state_of(run):
    """Status of the run and of each step, fresh."""
    return Run.objects.get(pk=run.pk).status, dict(run.steps.values_list("step_id", "status"))


def wait_for(run, status, *, within_s=45.0):
    """Until the run has that status; what it looked like instead is in the failure."""
    try:
        wait_until(lambda: Run.objects.get(pk=run.pk).status == status, within_s=within_s)
    except AssertionError:
        rows = list(
            run.attempts.values("step__step_id", "status", "due_at", "lease_until", "rung_at", "error", "tries")
        )
        raise AssertionError(f"{state_of(run)} and not {status} after {within_s} s: {rows}") from None


def attempt_in(run, status, *, within_s=20.0):
    """The run's attempt that has reached this status."""
    return wait_until(lambda: run.attempts.filter(status=status).first(), within_s=within_s)


def assert_nothing_lost(run, fal):
    """Nothing hangs, nothing was paid twice, no asset is doubled, and the money adds up."""
    run.refresh_from_db()
    assert_nobody_hangs(run)
    assert_money_adds_up(run)
    assert_bought_once(run, fal)
    assert_assets_are_single(run)
    assert_events_in_order(run)


def assert_nobody_hangs(run):
    for row in (run, *run.steps.all()):
        assert row.status in {*FINAL, "skipped"} or row.due_at or row.wait_reason, f"{row} is {row.status} for ever"
    for attempt in run.attempts.select_related("step"):
        waits = attempt.status == "unknown" and attempt.step.wait_reason == "submission_unknown"
        assert attempt.status in FINAL or attempt.due_at or waits, f"{attempt} is {attempt.status} for ever"
    if run.status in FINAL:
        assert not run.steps.filter(status__in=["queued", "running", "waiting"]).exists()
        assert set(run.attempts.values_list("status", flat=True)) <= {*FINAL, "canceling"}


def assert_money_adds_up(run):
    attempts, steps = list(run.attempts.all()), list(run.steps.all())
    assert run.cost_usd == sum((attempt.actual_usd or ZERO for attempt in attempts), ZERO)
    assert run.cost_usd == sum((step.actual_usd or ZERO for step in steps), ZERO)
    not_begun = sum((step.price_quote_usd for step in steps if step.status == "queued"), ZERO)
    assert run.reserved_usd == not_begun + sum((attempt.reserved_usd for attempt in attempts), ZERO)
    assert run.reserved_usd + run.cost_usd <= run.cap_usd


def assert_bought_once(run, fal):
    """At most one request an attempt that was not refused outright, and none that no attempt owns."""
    bought = Counter(one.idem for one in fal.bought())
    paid = run.attempts.filter(provider="fal")
    attempts = {hashlib.sha256(attempt.idem_key.encode()).hexdigest(): attempt for attempt in paid}
    for digest, attempt in attempts.items():
        assert bought[digest] <= 1, f"{attempt} was bought {bought[digest]} times"
        if attempt.provider_request_id:
            assert bought[digest] == 1
        else:
            assert bought[digest] == 0 or attempt.error == "SUBMISSION_UNKNOWN", f"{attempt} lost its job"


def assert_assets_are_single(run):
    assets = list(run.assets.select_related("attempt"))
    assert all(asset.attempt.status == "done" for asset in assets)
    assert len({(asset.attempt_id, asset.index) for asset in assets}) == len(assets)
    for step in run.steps.filter(status="done"):
        assert step.assets.exists(), f"{step} is done and has no asset"
    for asset in assets:
        with default_storage.open(asset.storage_key, "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == asset.sha256
    if run.status == "done":
        assert sorted(stored_files(f"runs/{run.run_id}")) == sorted(asset.storage_key for asset in assets)


def stored_files(folder):
    """The storage keys under a folder; [] where there is none."""
    if not default_storage.exists(folder):
        return []
    folders, files = default_storage.listdir(folder)
    below = [key for name in folders for key in stored_files(f"{folder}/{name}")]
    return [f"{folder}/{name}" for name in files] + below


def assert_events_in_order(run):
    events = list(run.events.order_by("pk").values_list("seq", "type", "subject"))
    seqs = [seq for seq, *_ in events]
    assert seqs == sorted(set(seqs)), "an event is out of order, or has another's number"
    assert seqs[-1] <= run.revision
    ends = Counter((type_, subject) for _, type_, subject in events if type_ in {"step.finished", "attempt.done"})
    assert set(ends.values()) <= {1}
