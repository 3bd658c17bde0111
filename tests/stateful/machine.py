"""A machine whose rules are what people, vendors, judges, workers and the broker may do."""

from decimal import Decimal
from itertools import cycle, islice

from django.contrib.auth import get_user_model
from django.db.models import Q
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from accounts.caller import Caller
from core.errors import BadInput, Conflict, NotFound, OverBudget
from runs import control
from runs.engine.start import start_run
from runs.models import Allowance, Asset, Attempt, Run, Step
from runs.order import Draft
from runs.transitions import batches
from tests.chaos.truth import facts_of
from tests.factories import make_plan
from tests.stateful.plans import Sketch, plan_of, sketches
from tests.stateful.stage import forget_everything, let_pass
from tests.stateful.watch import Watch, assert_at_rest
from tests.stateful.world import ENDS, LOOKS, SUBMISSIONS, Mood, World
from zaps.planned import PlannedStep

ACTOR = "user:1"
RUNS = 5
DEEDS = ("killed", "called", "canceled", "rejected", "approved", "retried", "resumed", "rerun", "doubled")
DEEDS += ("lease_ends", "ages")
HAPPENS = st.none() | st.tuples(st.sampled_from([0, 0, 1, 2]), st.sampled_from(DEEDS))
MOODS = st.builds(
    Mood,
    submission=st.sampled_from(["taken", "instant", "instant", *SUBMISSIONS]),
    asked=st.sampled_from(["fine", "fine", "fine", "busy", "broken"]),
    look=st.sampled_from(["pass", "pass", *LOOKS]),
    happens=HAPPENS,
)
LOST = st.sampled_from(["unknown", "unknown_lost"])
SOME = st.integers(0, 11)  # one of however many there are
BILLS = st.sampled_from([None, Decimal(0), Decimal("0.2"), Decimal("1.5")])
CAPS = st.sampled_from([None, None, Decimal(4), Decimal("1.5")])
RUN_CAPS = st.sampled_from([Decimal(50), None])  # None: just what it is quoted at
MORE = st.sampled_from([None, None, Decimal(1), Decimal(60)])
STEPS = st.none() | SOME


class Sequence(RuleBasedStateMachine):
    """See the module. After each rule everything is looked at; in the end, with time enough, all must be at rest."""

    world: World
    settings: object

    def __init__(self):
        super().__init__()
        forget_everything()
        self.world.__init__()
        self.world.deeds = {
            "canceled": lambda: self.everywhere(control.cancel_run),
            "rejected": lambda: self.everywhere(control.reject_run),
            "approved": lambda: self.everywhere(control.approve_run),
            "retried": lambda: self.everywhere(control.retry_run),
            "resumed": lambda: self.everywhere(control.resume_run),
            "rerun": lambda: self.everywhere(lambda run_id, actor: control.rerun_from(run_id, "a", actor=actor)),
            "doubled": lambda: self.world.answer(self.bell) if self.bell else None,
            "called": lambda: self.the_vendor_calls(-1, 0),
            "lease_ends": lambda: self.later(121),
            "ages": lambda: self.later(3 * 3600),
        }
        self.bell = None
        self.watch = Watch(self.world)

    @initialize(
        own=CAPS, daily=CAPS, day=CAPS, steps=sketches(), cap=RUN_CAPS, owned=st.booleans(), recovers=st.booleans()
    )  # fmt: skip
    def somebody_begins(self, own, daily, day, steps, cap, owned, recovers):
        self.world.recovers = recovers
        self.owner = get_user_model().objects.get(username="eva")
        Allowance.objects.create(owner=self.owner, cap_usd=own, day_cap_usd=daily)
        self.settings.ZAP_DAY_CAP_USD = day
        self.begin(plan_of(steps, cap), owned)

    # What people do

    @rule(steps=sketches(), cap=RUN_CAPS, owned=st.booleans())
    def start(self, steps, cap, owned):
        if Run.objects.count() < RUNS:
            self.begin(plan_of(steps, cap), owned)

    @rule(which=SOME, step=STEPS, asset=st.none() | SOME, twice=st.booleans())
    def approve(self, which, step, asset, twice):
        self.press(control.approve_run, which, step, twice=twice, asset_id=self.asset_id(asset))

    @rule(which=SOME, step=STEPS, verb=st.sampled_from([control.retry_run, control.reject_run]), twice=st.booleans())
    def refuse(self, which, step, verb, twice):
        self.press(verb, which, step, twice=twice and verb is control.reject_run, comment="no")

    @rule(which=SOME, verb=st.sampled_from([control.retry_run, control.resume_run]), max_usd=MORE)
    def go_on(self, which, verb, max_usd):
        self.press(verb, which, max_usd=max_usd)

    @rule(which=SOME, step=SOME, max_usd=MORE)
    def rerun_from(self, which, step, max_usd):
        self.press(control.rerun_from, which, step, max_usd=max_usd)

    @rule(which=SOME, twice=st.booleans())
    def cancel(self, which, twice):
        self.press(control.cancel_run, which, twice=twice)

    @rule(which=SOME, step=STEPS, asset=st.none() | SOME, vote=st.sampled_from(["up", "down"]))
    def give_feedback(self, which, step, asset, vote):
        self.press(control.give_feedback, which, step, asset_id=self.asset_id(asset), vote=vote)

    @rule(which=SOME)
    def fork(self, which):
        parent = self.run(which)
        if parent is not None and Run.objects.count() < RUNS:
            planned = [PlannedStep.from_json(step.spec) for step in parent.steps.all()]
            plan = make_plan(*planned, cap=parent.cap_usd, mode="live")
            caller = Caller(user=parent.owner, principal_id=ACTOR)
            self.ask(control.place_fork, parent.run_id, Draft(plan=plan, source="a recipe", prompts={}), caller)

    @rule(which=SOME, bought=st.booleans())
    def an_operator_knows(self, which, bought):
        """What became of a submission that nobody else knows of."""
        unknown = Q(status="unknown") | Q(status="canceling") | Q(error="SUBMISSION_UNKNOWN", reserved_usd__gt=0)
        attempt = self.pick(list(Attempt.objects.filter(unknown).select_related("run").order_by("pk")), which)
        if attempt:
            told = self.ask(control.resolve_unknown, attempt.run.run_id, attempt.pk, bought=bought, actor=ACTOR)
            self.watch.told |= {attempt.pk} if told else set()

    # What happens in the world

    @rule()
    def the_next_message(self):
        self.answer(0, Mood(), again=False)

    @rule(which=SOME, mood=MOODS, again=st.booleans())
    def answer(self, which, mood, again):
        """One message is delivered, or, with `again`, one that will be delivered once more; without any, a drain's."""
        if not self.world.bells:
            let_pass(61)
            self.world.drain()
        self.bell = self.pick(self.world.bells, which, take=not again)
        if self.bell:
            self.world.answer(self.bell, mood)

    @rule(moods=st.lists(MOODS, min_size=1, max_size=3), seconds=st.sampled_from([0, 5, 61]))
    def work(self, moods, seconds):
        """Everybody goes on for a while, in these moods by turns."""
        self.bell = None
        if seconds:
            let_pass(seconds)
            self.world.drain(moods[0])
        for mood in islice(cycle(moods), 12):
            if self.world.bells:
                self.answer(0, mood, again=False)

    @rule(submission=LOST, look=st.sampled_from(["pass", "fail"]), gate=st.sampled_from([None, (600, "approve")]))
    def a_candidate_is_lost(self, submission, look, gate):
        """A way to where luck seldom leads: a person looks at one candidate while nobody knows of the other."""
        if Run.objects.count() < RUNS:
            self.later(61)
            steps = [Sketch(candidates=2, judged=True, gate=gate), Sketch(needs=("a",))]
            self.begin(plan_of(steps, None), False)
            self.answer(-1, Mood(), again=False)
            self.answer(-1, Mood(submission=submission), again=False)
            self.later(0, Mood(submission="instant", look=look))

    @rule(look=st.sampled_from(["pass", "fail"]), how=st.sampled_from(["done", "done", "failed"]), bill=BILLS)
    def all_goes_well(self, look, how, bill):
        """Until nobody has anything to do."""
        for _ in range(2):
            for job in self.world.jobs.values():
                self.world.end(job, how, bill)
            self.later(61, Mood(look=look))

    @rule(seconds=st.sampled_from([5, 121, 901, 4000]))
    def time_passes(self, seconds):
        let_pass(seconds)

    @rule(which=st.none() | SOME, how=st.sampled_from(ENDS), bill=BILLS)
    def a_job_ends(self, which, how, bill):
        """Or, without a number, all of them."""
        jobs = list(self.world.jobs.values())
        for job in jobs if which is None else filter(None, [self.pick(jobs, which)]):
            self.world.end(job, how, bill)

    @rule(which=SOME, event=st.integers(0, 1))
    def the_vendor_calls(self, which, event):
        job = self.pick(list(self.world.jobs.values()), which)
        if job:
            self.world.call(job, event)

    @rule(which=SOME, what=st.sampled_from(["lost", "poller", "deaf", "hears", "allowed"]))
    def something_else_happens(self, which, what):
        """A message is lost, a poller dies with all that is due, a vendor does not listen, an operator is generous."""
        if what == "lost":
            self.pick(self.world.bells, which, take=True)
        elif what == "poller":
            batches.claim_polls(100)
        elif what == "allowed":
            Allowance.objects.update(cap_usd=None, day_cap_usd=None)
        else:
            self.world.deaf = what == "deaf"

    # What must hold

    def check_invariants(self, *args, **kwargs):
        super().check_invariants(*args, **kwargs)
        self.watch.look()

    def teardown(self):
        """Everybody is well, nobody presses anything, and time goes by."""
        self.world.healthy, self.world.deaf = True, False
        for seconds in [61] * 12 + [2 * 3600] * 3 + [61] * 12:
            self.later(seconds)
            if self.is_at_rest():
                break
        self.watch.look()
        for facts in facts_of():
            assert_at_rest(facts)

    def is_at_rest(self):
        busy = Attempt.objects.exclude(status__in=["done", "failed", "canceled", "unknown"]).exists()
        deciding = Step.objects.filter(status="waiting", due_at__isnull=False).exclude(wait_reason="budget").exists()
        return not busy and not deciding and not Run.objects.filter(status__in=["queued", "running"]).exists()

    def later(self, seconds, mood=None):
        """Time passes, and whatever is to do then is done."""
        let_pass(seconds)
        self.world.drain()
        for _ in range(200):
            if not self.world.bells:
                break
            self.world.answer(self.world.bells.pop(0), mood)

    # Hands

    def begin(self, plan, owned):
        self.ask(
            start_run, plan=plan, source="a recipe", prompts={}, inputs={}, mode="live",
            owner=self.owner if owned else None, principal_id=ACTOR, session_id="",
        )  # fmt: skip

    def press(self, verb, which, step=None, *, twice=False, **said):
        """Somebody asks something of a run. What is pressed twice has the effect of once."""
        run = self.run(which)
        if run is None:
            return
        if step is not None:
            said["step_id"] = self.pick([*run.steps.values_list("step_id", flat=True), "nowhere"], step)
        if self.ask(verb, run.run_id, actor=ACTOR, **said) and twice:
            before = self.fingerprint()
            self.ask(verb, run.run_id, actor=ACTOR, **said)
            assert self.fingerprint() == before, "the second press had an effect"

    def ask(self, verb, *args, **said):
        """Whether it was done. What is refused leaves nothing behind, and says why."""
        before = self.fingerprint()
        try:
            verb(*args, **said)
        except (OverBudget, Conflict, NotFound, BadInput) as exc:
            refusal = exc
        else:
            return True
        broken_down = {"quoteUsd", "capUsd", "spentUsd", "reservedUsd", "steps"}
        assert not isinstance(refusal, OverBudget) or broken_down <= set(refusal.extra)
        assert self.fingerprint() == before, "a refused request left something behind"
        return False

    def everywhere(self, verb):
        for run in Run.objects.order_by("pk"):
            self.ask(verb, run.run_id, actor=ACTOR)

    def fingerprint(self):
        runs = Run.objects.order_by("pk").values_list("revision", "cost_usd", "reserved_usd", "cap_usd", "due_at")
        return list(runs), len(self.world.bells)

    def run(self, which):
        return self.pick(list(Run.objects.order_by("pk")), which)

    def asset_id(self, which):
        if which is None:
            return None
        return self.pick(list(Asset.objects.order_by("pk").values_list("asset_id", flat=True)), which) or "asset_none"

    @staticmethod
    def pick(rows, which, *, take=False):
        if not rows:
            return None
        place = which % len(rows)
        return rows.pop(place) if take else rows[place]
