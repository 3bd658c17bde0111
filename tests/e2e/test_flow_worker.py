"""`zap flow-worker` and a server, as real processes."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from config.local import BASE_DIR
from flows import events, results
from flows.models import FlowAttempt, FlowOutput, FlowRun
from tests.integration.people import bearer, make_user
from tests.processes import PATIENCE_S, is_alive, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

FLOW = """
name = "wait"
version = 1
[[steps]]
name = "here"
runner = "shell"
script = "run.sh"
trigger = {type = "began"}
"""
# Two of a group: the step, and what it has started. They end when the file is there.
SCRIPT = """
env
sh -c 'echo child=$$; while [ ! -e go ]; do sleep 0.1; done' &
echo step=$$
wait
echo 'FLOW_RESULT {"status": "changed", "went": true}'
"""
LONG = ("--lease-s", "1800")  # a heartbeat at a third of it would come too late for every test here


@pytest.fixture
def house(stack, tmp_path):
    """A server, and workers for it."""
    stack.start("web")
    token = bearer(make_user("sam", staff=True))["Authorization"].removeprefix("Bearer ")
    house = House(stack.address, token, tmp_path)
    yield house
    house.close()


class House:
    """Workers of one flow, whose step waits until it may go on."""

    def __init__(self, address, token, folder):
        self.address, self.token, self.log, self.workers = address, token, folder / "log", []
        self.flow = folder / "flows" / "wait"
        self.flow.mkdir(parents=True)
        (self.flow / "flow.toml").write_text(FLOW)
        (self.flow / "run.sh").write_text(SCRIPT)

    def hire(self, *words, address=None):
        """A worker."""
        env = {**os.environ, "ZAP_API_URL": address or self.address, "ZAP_TOKEN": self.token}
        command = [sys.executable, "-m", "cli", "flow-worker", "--root", str(self.flow.parent), *words]
        with self.log.open("a") as log:
            self.workers.append(subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=log, stderr=log))
        wait_until(lambda: "flow=wait" in self.said())
        return self.workers[-1]

    def begin(self, event_id="e1"):
        """Have its step begin: the run."""
        run = FlowRun.objects.get(run_id=events.dispatch({"id": event_id, "type": "began"}).run_ids[0])
        wait_until(lambda: {"child", "step"} <= set(self.heard(run)))
        return run

    def heard(self, run):
        """What the server has of its output, by name: a line is `name=value`."""
        text = "".join(FlowOutput.objects.filter(attempt__run=run).order_by("seq").values_list("text", flat=True))
        return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)

    def go(self):
        """Steps may end."""
        (self.flow / "go").touch()

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def close(self):
        self.go()
        for worker in self.workers:
            worker.kill()
            worker.wait()
        print(self.said())


def ended(run):
    run.refresh_from_db()
    return run.completed_at is not None


def test_a_step_outlives_a_restart_of_the_server_and_writes_while_it_runs(house, stack):
    house.hire(*LONG)
    run = house.begin()
    run.refresh_from_db()
    assert run.status == "running"
    stack.kill("web")

    house.go()
    wait_until(lambda: not any(is_alive(house.heard(run)[name]) for name in ("child", "step")))
    stack.start("web")

    wait_until(lambda: ended(run))
    assert (run.status, run.result, run.attempt_count) == ("completed", {"status": "changed", "went": True}, 1)
    assert house.token not in "".join(FlowOutput.objects.values_list("text", flat=True))
    assert {"ZAP_TOKEN", "DATABASE_URL", "SECRET_KEY"}.isdisjoint(house.heard(run))
    assert house.heard(run)["CODEX_FLOW_RUN_ID"] == run.run_id


def test_a_worker_that_is_to_end_finishes_its_step_and_takes_no_other(house):
    worker = house.hire("--drain-s", "600")
    run = house.begin()

    worker.terminate()
    wait_until(lambda: "ending" in house.said())
    other = FlowRun.objects.get(run_id=events.dispatch({"id": "e2", "type": "began"}).run_ids[0])
    house.go()

    assert worker.wait(PATIENCE_S) == 0
    other.refresh_from_db()
    assert ended(run)
    assert (run.status, other.status, other.attempt_count) == ("completed", "queued", 0)


@pytest.mark.parametrize(("grace_s", "asks"), [("0.2", 1), ("600", 2)], ids=["its time is over", "it is asked again"])
def test_a_worker_that_cannot_wait_gives_its_step_back(house, grace_s, asks):
    worker = house.hire("--drain-s", grace_s, *LONG)
    run = house.begin()
    family = house.heard(run)

    for number in range(asks):
        worker.terminate()
        wait_until(lambda number=number: number + 1 == asks or "ending" in house.said())

    assert worker.wait(PATIENCE_S) == 0
    run.refresh_from_db()
    assert (run.status, FlowAttempt.objects.get().error) == ("queued", "The worker gave the run back.")
    wait_until(lambda: not is_alive(family["step"]) and not is_alive(family["child"]))


def test_a_cancel_ends_the_step_and_all_that_it_started_within_seconds(house):
    worker = house.hire(*LONG)
    run = house.begin()
    family = house.heard(run)

    results.cancel(run.run_id)

    wait_until(lambda: not is_alive(family["step"]) and not is_alive(family["child"]))
    worker.terminate()
    assert worker.wait(PATIENCE_S) == 0
    run.refresh_from_db()
    assert (run.status, run.attempt_count) == ("canceled", 1)
    assert "lease lost: canceled" in house.said()


def test_a_result_whose_answer_was_lost_is_told_again_and_counts_once(house):
    house.go()
    with Deaf(house.address) as line:
        house.hire(address=line.address)
        run = house.begin()
        wait_until(lambda: "became=completed" in house.said())

    assert line.lost == 1
    assert line.told == 2
    assert ended(run)
    assert FlowAttempt.objects.count() == 1


class Deaf:
    """A line to a server that loses the first answer to `complete`: the caller is hung up on."""

    def __init__(self, address):
        self.host, self.port = address.removeprefix("http://").split(":")
        self.lost = self.told = 0

    def __enter__(self):
        self.ear = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.ear.getsockname()[1]}"
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()
        return self

    def __exit__(self, *failure):
        self.ear.shutdown(socket.SHUT_RDWR)
        self.ear.close()
        self.thread.join()

    def _serve(self):
        calls = []
        while True:
            try:
                calls.append(threading.Thread(target=self._pass_on, args=(self.ear.accept()[0],)))
            except OSError:
                break
            calls[-1].start()
        for call in calls:
            call.join()

    def _pass_on(self, caller):
        with caller, caller.makefile("rb") as asked, socket.create_connection((self.host, int(self.port))) as server:
            head = b"".join(iter(asked.readline, b"\r\n"))
            size = next(int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-le"))
            server.sendall(head + b"\r\n" + asked.read(size))
            answer = b"".join(iter(lambda: server.recv(65536), b""))
            if b"/complete " in head:
                self.told += 1
                if not self.lost:
                    self.lost += 1
                    return
            caller.sendall(answer)
