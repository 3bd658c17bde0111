"""What must hold across runs and across time; what a single run must agree on stands in `tests.chaos.truth`."""

from collections import defaultdict
from decimal import Decimal

from django.conf import settings as django_settings
from django.db import connection

from runs.models import Allowance, Budget
from tests.chaos.truth import STEP_FINAL, assert_files_are_there, assert_true_to_itself, facts_of

ZERO = Decimal(0)
BY_A_PERSON = {"approval", "submission_unknown", "budget"}


class Watch:
    """Looks at everything after every rule, and remembers what was settled when it looked last."""

    def __init__(self, world):
        self._world = world
        self._attempts, self._steps, self._seen = {}, {}, None
        self.told = set()  # attempts of which an operator has said what became of them

    def look(self):
        newest = _newest_transaction()
        if newest == self._seen:
            return
        self._seen = newest
        assert not self._world.wrongs
        every = facts_of()
        for facts in every:
            assert_true_to_itself(facts)
            self._assert_attempts_end_once(facts)
            self._assert_steps_stand_still(facts)
            self._assert_sent_once(facts)
        assert_budgets_are_the_sums(every)

    def _assert_attempts_end_once(self, facts):
        """What has ended stays as it ended, to its last asset; but for what a late look of a judge still costs."""
        assets = defaultdict(set)
        for asset in facts.assets:
            assets[asset.attempt_id].add(asset.asset_id)
        for one in facts.attempts:
            money = None if one.role == "judge" else (one.actual_usd, one.reserved_usd)
            ended = (one.status, one.error, None if one.pk in self.told else money, frozenset(assets[one.pk]))
            before = self._attempts.get(one.pk)
            if before is not None and one.pk not in self.told:
                assert ended == before, f"{one} had ended, and changed"
            if one.status in {"done", "failed", "canceled"}:
                self._attempts[one.pk] = ended

    def _assert_steps_stand_still(self, facts):
        """A step that is final or waits for a person changes by an event of its own, or not at all."""
        newest = {event.subject: event.seq for event in facts.events if event.type.startswith("step.")}
        for step in facts.steps:
            seq = newest.get(step.step_id, 0)
            now = (seq, step.status, step.chosen_id, step.round, step.wait_reason, step.error)
            before = self._steps.get(step.pk)
            if before and before[0] == seq and before[1] in {*STEP_FINAL, "waiting"}:
                assert now == before, f"{step} was {before[1]}, and changed without a word"
            self._steps[step.pk] = now

    def _assert_sent_once(self, facts):
        """At most one request an attempt, and none that no attempt owns up to."""
        for one in facts.attempts:
            sent = self._world.sent[one.idem_key]
            if one.provider_request_id:
                assert sent == 1
                assert self._world.jobs[one.provider_request_id].idem == one.idem_key
            elif sent and one.pk not in self.told:
                assert one.status in {"submitting", "unknown", "canceling"} or one.error == "SUBMISSION_UNKNOWN", (
                    f"{one} lost its job"
                )


def assert_budgets_are_the_sums(every, *, after=0):
    """Each budget holds what its runs hold, and whenever something was reserved there was room for it.

    `after`: the newest entry of the ledger when the present caps began to hold.
    """
    held, spent, caps = defaultdict(Decimal), defaultdict(Decimal), _caps()
    owners = {facts.run.run_id: facts.run.owner_id for facts in every}
    entries = sorted((entry for facts in every for entry in facts.ledger), key=lambda entry: entry.pk)
    for entry in entries:
        owner = owners[entry.run_id]
        keys = [f"day:{entry.day}", *([f"owner:{owner}", f"owner:{owner}:{entry.day}"] if owner else [])]
        for key in keys:
            held[key] += {"reserved": entry.usd, "released": -entry.usd}.get(entry.kind, ZERO)
            spent[key] += entry.usd if entry.kind == "spent" else ZERO
            if entry.pk > after and entry.kind == "reserved" and caps[key] is not None:
                assert held[key] + spent[key] <= caps[key], f"{entry}: there was no room in {key}"
    for budget in Budget.objects.all():
        key = budget.key
        assert (budget.reserved_usd, budget.spent_usd) == (held[key], spent[key]), f"the sums of {key}"


def assert_at_rest(facts):
    """With everybody well and time enough, a run has ended, or waits for a person by name."""
    run = facts.run
    for step in facts.steps:
        if step.status == "waiting":
            assert step.wait_reason in BY_A_PERSON, f"{step} waits for {step.wait_reason}"
            assert step.due_at is None or step.wait_reason == "budget", f"the gate of {step} never decides"
        else:
            assert step.status in STEP_FINAL or run.status == "waiting", f"{step} is {step.status} for ever"
    assert run.status in {*STEP_FINAL, "waiting"}, f"{run} is {run.status} for ever"
    for one in facts.attempts:
        assert one.status in {"done", "failed", "canceled", "unknown"}, f"{one} is {one.status} for ever"
    assert_files_are_there(facts)


def _newest_transaction():
    """Changes whenever anybody writes anything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        return cursor.fetchone()[0]


def _caps():
    """What each budget may hold and have spent, as it is allowed now: never less than before."""
    caps = {budget.key: django_settings.ZAP_DAY_CAP_USD for budget in Budget.objects.filter(owner=None)}
    allowed = {one.owner_id: one for one in Allowance.objects.all()}
    for budget in Budget.objects.exclude(owner=None):
        own = allowed.get(budget.owner_id)
        caps[budget.key] = own and (own.day_cap_usd if budget.day else own.cap_usd)
    return caps
