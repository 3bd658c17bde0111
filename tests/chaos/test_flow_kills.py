"""Sixteen workers of flows that die at any moment, while events keep coming.

CHAOS_S=60 CHAOS_SEED=… ./dev test tests/chaos/test_flow_kills.py
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import defaultdict

import pytest

from config.local import BASE_DIR
from flow_worker.packages import read_package
from flows import claims, manifests, results
from flows.models import FlowRun
from flows.refusals import LeaseLost
from tests.chaos import flow_truth
from tests.integration.people import bearer, make_user
from tests.processes import PATIENCE_S, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FOR_S = float(os.environ.get("CHAOS_S") or 60)
HANDS, WORKERS, SENDERS = 12, 4, 3
STEP = """
[[steps]]
name = "{}"
runner = "shell"
script = "run.sh"
backoff_ms = 0
max_attempts = {}
trigger = {{type = "pushed"}}
"""
KEYED = 'concurrency = {key = "k-{payload.key}", limit = 2}\n'
SCRIPT = """
echo working
echo 'FLOW_RESULT {"status": "completed", "by": "'$CODEX_FLOW_ATTEMPT_ID'"}'
"""


@pytest.fixture
def flow(tmp_path):
    """A folder with a flow of three steps: one like any, one of which two may be at work, one that dies easily."""
    folder = tmp_path / "flows" / "chaos"
    folder.mkdir(parents=True)
    steps = STEP.format("plain", 100) + STEP.format("keyed", 100) + KEYED + STEP.format("mortal", 2)
    (folder / "flow.toml").write_text('name = "chaos"\nversion = 1\n' + steps)
    (folder / "run.sh").write_text(SCRIPT)
    manifests.sync(read_package(folder).manifest)
    return folder.parent


@pytest.fixture
def crew(stack, tmp_path, flow):
    """Sixteen workers, once they begin, beside a server and a schedule."""
    stack.start("worker", "beat", "web")
    token = bearer(make_user("sam", staff=True))["Authorization"].removeprefix("Bearer ")
    crew = Crew(stack.address, token, tmp_path, flow)
    yield crew
    crew.close()


class Crew:
    """Workers by place: the first twelve only talk, the others are `zap flow-worker`."""

    def __init__(self, address, token, folder, flow):
        self.address, self.token, self.folder, self.flow = address, token, folder, flow
        self.journals, self.logs, self.log_of, self.at_work = [], [], {}, []

    def begin(self):
        self.at_work = [self._begin(place) for place in range(HANDS + WORKERS)]

    def kill(self, place):
        """SIGKILL one, and let another take its place."""
        self._end(self.at_work[place])
        self.at_work[place] = self._begin(place)

    def drain(self):
        """TERM to those that understand it, once they do: how they ended."""
        real = self.at_work[HANDS:]
        for process in real:
            wait_until(lambda log=self.log_of[process.pid]: "flow=chaos" in log.read_text())
            process.terminate()
        return [process.wait(PATIENCE_S) for process in real]

    def close(self):
        for process in self.at_work:
            self._end(process)

    def _end(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def _begin(self, place):
        number = len(self.journals) + len(self.logs)
        env = {**os.environ, "ZAP_API_URL": self.address, "ZAP_TOKEN": self.token}
        if place < HANDS:
            self.journals.append(self.folder / f"{number}.journal")
            self.journals[-1].touch()
            hand = ["tests/chaos/flow_hand.py", self.address, str(self.journals[-1]), str(number)]
            return subprocess.Popen([sys.executable, *hand], cwd=BASE_DIR, env=env)
        self.logs.append(self.folder / f"{number}.log")
        worker = ["-m", "cli", "flow-worker", "--root", str(self.flow), "--lease-s", "10", "--slots", "2"]
        with self.logs[-1].open("w") as log:
            process = subprocess.Popen([sys.executable, *worker], cwd=BASE_DIR, env=env, stdout=log, stderr=log)
        self.log_of[process.pid] = self.logs[-1]
        return process


class Sender(threading.Thread):
    """Sends events until it has to end, some of them twice. `told`: by the event's id, of which runs it was told."""

    def __init__(self, name, crew, seed):
        super().__init__()
        self.name, self.crew, self.dice, self.told = name, crew, random.Random(seed), defaultdict(list)
        self.enough = threading.Event()

    def run(self):
        while not self.enough.wait(self.dice.uniform(0.3, 1.5)):
            event = {
                "id": f"{self.name}/{len(self.told)}",
                "type": "pushed",
                "payload": {"key": self.dice.randrange(4)},
            }
            for _ in range(self.dice.choice([1, 2])):
                self.told[event["id"]].append(self.send(event))

    def send(self, event):
        """Until it is accepted: the runs that we are told of."""
        headers = {"Authorization": f"Bearer {self.crew.token}", "Content-Type": "application/json"}
        while True:
            ask = urllib.request.Request(f"{self.crew.address}/api/flows/events", json.dumps(event).encode(), headers)
            try:
                with urllib.request.urlopen(ask, timeout=30) as answer:
                    return set(json.loads(answer.read())["runIds"])
            except (OSError, http.client.HTTPException, ValueError):
                time.sleep(0.2)


def test_whoever_dies_whenever_each_run_ends_once_and_no_stale_result_is_taken(crew, stack):
    seed = int(os.environ.get("CHAOS_SEED") or time.time())
    print(f"CHAOS_SEED={seed}")
    dice = random.Random(seed)
    senders = [Sender(f"sender-{number}", crew, seed + number) for number in range(SENDERS)]
    with flow_truth.witness():
        stale = one_that_nobody_hears_of_again(senders[0])
        crew.begin()
        for sender in senders:
            sender.start()

        let_them_die(crew, dice, stack)
        for sender in senders:
            sender.enough.set()
            sender.join()
        open_runs = FlowRun.objects.exclude(status__in=flow_truth.FINAL)
        wait_until(lambda: not open_runs.exists(), within_s=2 * PATIENCE_S)

        assert crew.drain() == [0] * WORKERS
        with pytest.raises(LeaseLost):
            results.complete(stale.attempt_id, stale.token, {"by": "nobody"})
        flow_truth.assert_no_event_is_lost({event: told for one in senders for event, told in one.told.items()})
        flow_truth.assert_every_run_ended_once()
        flow_truth.assert_no_key_was_exceeded()
        print(flow_truth.assert_answers_and_rows_agree(crew.journals, crew.logs))


def one_that_nobody_hears_of_again(sender):
    """A run that was claimed by a worker which was lost at once."""
    event = {"id": "first", "type": "pushed", "payload": {"key": 0}}
    sender.told["first"].append(sender.send(event))
    return claims.claim("lost", lasts_ms=10_000, runners=["shell"])[0]


def let_them_die(crew, dice, stack):
    """For FOR_S seconds; the server goes and comes back in the middle."""
    began = time.monotonic()
    is_server_dead = False
    while (past := time.monotonic() - began) < FOR_S:
        time.sleep(dice.uniform(0.1, 1.0))  # the moments are the dice's, not luck's
        crew.kill(dice.randrange(HANDS + WORKERS))
        if past > FOR_S / 2 and not is_server_dead:
            is_server_dead = True
            stack.kill("web")
            stack.start("web")
    print(f"{len(crew.journals) + len(crew.logs) - HANDS - WORKERS} died, {FlowRun.objects.count()} runs")
