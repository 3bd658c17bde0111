"""What must be true of a run after any fault, read from its rows, its files and the vendor's journal."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from django.core.files.storage import default_storage

from runs.models import Asset, Attempt, LedgerEntry, Run, RunEvent, Step
from tests.chaos.history import replay
from tests.processes import PATIENCE_S, wait_until

FINAL = {"done", "failed", "canceled"}
STEP_FINAL = {*FINAL, "skipped"}
AT_WORK = {"planned", "submitting", "accepted", "settling"}
ZERO = Decimal(0)


@dataclass
class Facts:
    """Everything that is known of one run, at one moment."""

    run: Run
    steps: list = field(default_factory=list)
    attempts: list = field(default_factory=list)
    assets: list = field(default_factory=list)
    events: list = field(default_factory=list)
    ledger: list = field(default_factory=list)

    def booked(self, *kinds):
        return sum((entry.usd for entry in self.ledger if entry.kind in kinds), ZERO)


def facts_of(*runs):
    """The facts of these runs, or of all there are, oldest first."""
    rows = Run.objects.defer("source", "prompts").order_by("pk")
    found = {run.pk: Facts(run) for run in (rows.filter(pk__in=[run.pk for run in runs]) if runs else rows)}
    by_id = {facts.run.run_id: facts for facts in found.values()}
    for step in Step.objects.filter(run__in=found).order_by("position"):
        found[step.run_id].steps.append(step)
    for attempt in Attempt.objects.filter(run__in=found).select_related("step").order_by("pk"):
        found[attempt.run_id].attempts.append(attempt)
    for asset in Asset.objects.filter(run__in=found).select_related("attempt").order_by("pk"):
        found[asset.run_id].assets.append(asset)
    for event in RunEvent.objects.filter(run__in=found).order_by("pk"):
        found[event.run_id].events.append(event)
    for entry in LedgerEntry.objects.filter(run_id__in=by_id).order_by("pk"):
        by_id[entry.run_id].ledger.append(entry)
    return list(found.values())


def state_of(run):
    """Status of the run and of each step, fresh."""
    return Run.objects.get(pk=run.pk).status, dict(run.steps.values_list("step_id", "status"))


def wait_for(run, status, *, within_s=PATIENCE_S):
    """Until the run has that status; what it looked like instead is in the failure."""
    try:
        wait_until(lambda: Run.objects.get(pk=run.pk).status == status, within_s=within_s)
    except AssertionError:
        rows = list(
            run.attempts.values("step__step_id", "status", "due_at", "lease_until", "rung_at", "error", "tries")
        )
        raise AssertionError(f"{state_of(run)} and not {status} after {within_s} s: {rows}") from None


def attempt_in(run, status, *, within_s=PATIENCE_S):
    """The run's attempt that has reached this status."""
    return wait_until(lambda: run.attempts.filter(status=status).first(), within_s=within_s)


def assert_nothing_lost(run, fal):
    """Nothing hangs, nothing was paid twice, no asset is doubled, and the money adds up."""
    run.refresh_from_db()
    (facts,) = facts_of(run)
    assert_true_to_itself(facts)
    assert_bought_once(run, fal)
    assert_files_are_there(facts)


def assert_true_to_itself(facts):
    """What the rows of one run must agree on at any moment between two transactions."""
    assert_nobody_hangs(facts)
    assert_money_adds_up(facts)
    assert_assets_are_single(facts)
    assert_events_in_order(facts)
    replay(facts)


def assert_nobody_hangs(facts):
    """Whatever is not final is due, or waits for somebody who is named and is really there."""
    run, attempts = facts.run, _by_step(facts.attempts)
    for row in (run, *facts.steps):
        assert row.status in STEP_FINAL or row.due_at or row.wait_reason, f"{row} is {row.status} for ever"
    statuses = {step.step_id: step.status for step in facts.steps}
    for step in facts.steps:
        at_work = [one for one in attempts[step.pk] if one.status in AT_WORK or is_sought(one)]
        if step.status == "running":
            assert at_work, f"{step} is running and nobody is at work"
        if step.status == "queued" and run.status != "queued":
            ready = all(statuses[parent] in {"done", "skipped"} for parent in step.parents)
            assert not ready, f"{step} could begin and nobody begins it"
        for attempt in attempts[step.pk]:
            assert_belongs(attempt, step)
    assert_run_is_what_its_steps_are(run, set(statuses.values()))


def is_sought(attempt):
    """Nobody knows its fate yet, and its provider is being asked."""
    return attempt.status == "unknown" and attempt.due_at is not None


def assert_belongs(attempt, step):
    """An open attempt is wanted by its step, or on its way out; one of unknown fate never hides in a closed step."""
    if attempt.status in FINAL:
        assert attempt.due_at is None
        return
    assert attempt.due_at or attempt.status == "unknown", f"{attempt} is {attempt.status} for ever"
    if attempt.status != "canceling":
        wanted = {"running", "waiting"} if attempt.status == "unknown" and not attempt.due_at else {"running"}
        assert step.status in wanted, f"{attempt} is {attempt.status} in a step that is {step.status}"
        assert attempt.round == step.round, f"{attempt} is {attempt.status} in a round that is over"


def assert_run_is_what_its_steps_are(run, statuses):
    if run.status in FINAL:
        assert statuses <= STEP_FINAL, f"{run} is {run.status} and has open steps"
    if run.status == "done":
        assert statuses <= {"done", "skipped"}
    if run.status == "waiting":
        assert "waiting" in statuses
        assert "running" not in statuses
    if run.status == "running":
        assert "running" in statuses, f"{run} is running and none of its steps is"


def assert_money_adds_up(facts):
    """Run, steps, attempts and ledger say the same, and never more than the cap but for what a vendor billed."""
    run = facts.run
    spent = facts.booked("spent")
    assert run.cost_usd == spent, "run and ledger"
    assert run.cost_usd == sum((attempt.actual_usd or ZERO for attempt in facts.attempts), ZERO), "run and attempts"
    assert run.cost_usd == sum((step.actual_usd or ZERO for step in facts.steps), ZERO), "run and steps"
    held = sum((row.reserved_usd for row in (*facts.steps, *facts.attempts)), ZERO)
    assert run.reserved_usd == held, "what the run holds and what its steps and attempts hold"
    assert run.reserved_usd == facts.booked("reserved") - facts.booked("released"), "what the run holds and the ledger"
    assert run.reserved_usd + run.cost_usd <= run.cap_usd + facts.booked("overshoot"), "above the cap"
    for attempt in facts.attempts:
        lost = attempt.error == "SUBMISSION_UNKNOWN"
        assert attempt.status not in FINAL or lost or not attempt.reserved_usd, f"{attempt} ended and holds money"


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


def assert_assets_are_single(facts):
    """Only an attempt that delivered has assets, and a step that is done has chosen one of its own that did."""
    made = Counter((asset.attempt_id, asset.index) for asset in facts.assets)
    assert set(made.values()) <= {1}
    assert all(asset.attempt.status == "done" for asset in facts.assets), "assets of an attempt that is not done"
    with_assets = {asset.attempt_id for asset in facts.assets}
    chosen = {attempt.pk: attempt for attempt in facts.attempts}
    for step in facts.steps:
        if step.status == "done":
            assert step.chosen_id in with_assets, f"{step} is done and what it chose has no asset"
        if step.chosen_id is not None:
            attempt = chosen[step.chosen_id]
            assert (attempt.step_id, attempt.role, attempt.status) == (step.pk, "make", "done")


def assert_files_are_there(facts):
    for asset in facts.assets:
        with default_storage.open(asset.storage_key, "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == asset.sha256
    if facts.run.status == "done":
        own = {asset.storage_key for asset in facts.assets if asset.attempt.cost_source != "reused"}
        assert set(stored_files(f"runs/{facts.run.run_id}")) == own


def stored_files(folder):
    """The storage keys under a folder; [] where there is none."""
    if not default_storage.exists(folder):
        return []
    folders, files = default_storage.listdir(folder)
    below = [key for name in folders for key in stored_files(f"{folder}/{name}")]
    return [f"{folder}/{name}" for name in files] + below


def assert_events_in_order(facts):
    """An event's number is the revision that it made."""
    seqs = [event.seq for event in facts.events]
    assert seqs == sorted(set(seqs)), "an event is out of order, or has another's number"
    assert seqs[0] == 1
    assert seqs[-1] <= facts.run.revision


def _by_step(attempts):
    found = defaultdict(list)
    for attempt in attempts:
        found[attempt.step_id].append(attempt)
    return found
