"""What flows promise, as a few dictionaries: shares no code with what keeps the promises."""

from dataclasses import dataclass, field

LIMIT, LEAST_LEASE_S = 2, 10
FINAL = ("completed", "failed", "canceled")
URGENT_1 = {"type": "urgent", "schemaJson": {"properties": {"n": {"const": 1}}}}


def steps(edition):
    """The steps of each flow, as their author's first or second edition has them."""
    common = {"script": f"v{edition}.py", "backoffMs": 0, "runner": "python", "trigger": {"type": "pushed"}}
    flows = {
        "ci": (
            {"name": "plain", "maxAttempts": 3},
            {"name": "high", "trigger": {"type": "urgent"}, "priority": 5, "maxAttempts": 1, "retryOnFail": True},
            {"name": "keyed", "maxAttempts": 2, "runner": "node", "concurrency": {"key": "k-{payload.n}", "limit": 2}},
        ),
        "web": (
            {"name": "late", "trigger": {"type": "urgent"}, "delayMs": 30_000, "maxAttempts": 2, "runner": "node"},
            {"name": "gpu", "labels": ["gpu"], "maxAttempts": 3, "retryOnFail": True, "backoffMs": 8000},
            {"name": "only", "trigger": URGENT_1, "concurrency": {"key": "k-1", "limit": 2}, "priority": 1},
        ),
    }
    return {flow: [common | one for one in flows[flow]] for flow in flows}


@dataclass
class Flow:
    """What is known of a manifest."""

    edition: int = 1
    is_there: bool = True
    is_off: bool = False


@dataclass
class Run:
    """What is known of a run. `due` is in seconds from the start; None where chance had a part in it."""

    run_id: str
    serial: int
    flow: str
    version: int
    step: dict
    event: str
    key: str
    due: float | None
    status: str = "queued"
    is_held: bool = False
    tries: int = 0
    is_dead: bool = False
    result: object = None
    started: float | None = None
    ended: float | None = None

    @property
    def most(self):
        return self.step.get("maxAttempts", 3)

    @property
    def place(self):
        return (-self.step.get("priority", 0), self.due, self.serial)


@dataclass
class Held:
    """A lease that was given out, until which second it is good, and how its attempt ended."""

    lease: object
    run: Run
    until: float
    end: str = ""
    said: tuple = ()
    became: str = ""
    written: int = 0

    def refusal(self, now):
        """The name of what is raised for who still uses it; "" while it is good."""
        if self.end == "canceled":
            return "RunCanceled"
        if self.end in ("", "expired"):
            return "" if not self.end and now <= self.until else "LeaseExpired"
        return "LeaseLost"


@dataclass
class Model:
    """Everything that is known."""

    now: float = 0
    flows: dict = field(default_factory=lambda: {"ci": Flow(), "web": Flow()})
    events: dict = field(default_factory=dict)  #: by id: type and n, the runs' ids in their order, replays by key
    runs: dict = field(default_factory=dict)
    held: list = field(default_factory=list)

    def matches(self, type, n):
        """The flow, edition and step of each that an event starts now, in the order of its runs."""
        for name, flow in self.flows.items():
            if not flow.is_there or flow.is_off:
                continue
            for step in steps(flow.edition)[name]:
                fits = "schemaJson" not in step["trigger"] or n == 1
                if step["trigger"]["type"] == type and fits:
                    yield name, flow.edition, step

    def add(self, event, run_ids, made, *, n):
        """Runs that were made, with the flow, edition and step of each, and the seconds until they are due."""
        fresh = []
        for run_id, (flow, edition, step, wait_s) in zip(run_ids, made, strict=True):
            assert run_id not in self.runs
            key = step.get("concurrency", {}).get("key", "").replace("{payload.n}", str(n))
            fresh.append(
                Run(
                    run_id, len(self.runs), flow, edition, step, event, key, micro(self.now + wait_s), is_held=bool(key)
                )
            )
            self.runs[run_id] = fresh[-1]
        self.events[event]["runs"] += run_ids
        self.give_turns(run.key for run in fresh)

    def redrive(self, run_id, old):
        """A run that was made of one that had ended."""
        self.add(old.event, [run_id], [(old.flow, old.version, old.step, 0)], n=old.key[2:])

    def give_turns(self, keys):
        """Held runs go on, the best first, as long as there is room."""
        for key in set(keys) - {""}:
            queue = [run for run in self.runs.values() if run.key == key and run.status not in FINAL]
            room = LIMIT - sum(not run.is_held for run in queue)
            for run in sorted((run for run in queue if run.is_held), key=lambda run: run.place)[: max(0, room)]:
                run.is_held = False

    def best(self, runners, flows, labels):
        """What may be claimed, in its order."""
        ready = [
            run
            for run in self.runs.values()
            if run.status == "queued" and not run.is_held and run.due <= self.now and run.step["runner"] in runners
            if (flows is None or run.flow in flows) and set(run.step.get("labels", ())) <= set(labels)
        ]
        return sorted(ready, key=lambda run: run.place)

    def open(self):
        """The leases that may still be used."""
        return [held for held in self.held if not held.refusal(self.now)]

    def claim(self, lease, run, lasts_s):
        """A lease was given out."""
        run.status, run.tries = "running", run.tries + 1
        run.started = self.now if run.started is None else run.started
        self.held.append(Held(lease, run, micro(self.now + max(lasts_s, LEAST_LEASE_S))))

    def end(self, held, status, said, *, result=None):
        """The attempt came to its end, and the run with it."""
        held.end, held.said, held.became = said[0], said, status
        self._close(held.run, status)
        held.run.result = result
        self.give_turns([held.run.key])

    def lose(self, held, said, *, wait_s, again=True):
        """The attempt came to its end, and the run is tried again where it may be; `wait_s` None: whenever."""
        run = held.run
        again_now = again and run.tries < run.most
        held.end, held.said, held.became = said[0], said, "queued" if again_now else "failed"
        if again_now:
            run.status, run.due = "queued", None if wait_s is None else micro(self.now + wait_s)
        else:
            run.is_dead = again
            self._close(run, "failed")
        return run

    def cancel(self, run):
        """Somebody stopped it."""
        self._close(run, "canceled")
        for held in self.held:
            if held.run is run and not held.end:
                held.end = "canceled"
        run.is_held, waited = False, run.is_held
        self.give_turns([] if waited else [run.key])

    def _close(self, run, status):
        run.status, run.ended = status, self.now


def micro(seconds):
    """To the microsecond, as the database keeps it: what is the same moment there is the same number here."""
    return round(seconds, 6)


def backoff_s(run, now):
    """The least and the most seconds at which a run may be due that is tried again."""
    base = run.step["backoffMs"] / 1000 * 2 ** (run.tries - 1)
    return now + base * 0.5, now + base * 1.5
