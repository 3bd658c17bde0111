"""A flow worker, and a server that says what the test wants."""

import threading

import pytest

from flow_worker.backend import Backend, Refused, Unreachable
from flow_worker.commands import Surroundings
from flow_worker.job import Job
from flow_worker.packages import discover, read_package
from flow_worker.transcript import Transcript
from flow_worker.worker import Options, Worker
from tests.unit.flow_worker.test_worker_parts import FLOW, claimed, package

RESULT = 'print(\'FLOW_RESULT {"status": "completed"}\')\n'
FOR_EVER = "import time\ntime.sleep(600)\n"


class Server:
    """Answers what `answers` says for the last word of an address, else nothing in particular; `told` is what came."""

    def __init__(self, **answers):
        self.answers, self.told = answers, []

    def __call__(self, method, path, body):
        verb = path.rpartition("/")[2]
        self.told.append((verb, body))
        answer = self.answers.get(verb, {"status": "done"})
        return answer(body) if callable(answer) else answer

    def verbs(self):
        return [verb for verb, _ in self.told]


def carry_out(folder, script, server, *, lease_ms=60_000):
    found = read_package(package(folder / "ci", **{"build.py": script}))
    return Job(claimed(), found, Backend(server), lease_ms=lease_ms).run(Surroundings())


def refuse(status):
    def answer(_):
        raise Refused(status, "CODE", "It has too many bytes.")

    return answer


def unreachable(_):
    raise Unreachable


def test_output_that_is_slow_to_send_holds_up_no_heartbeat(tmp_path):
    alive = threading.Event()

    def stored(_):
        assert alive.wait(30)
        return {}

    def beat(_):
        alive.set()
        return {}

    server = Server(output=stored, heartbeat=beat)

    assert carry_out(tmp_path, f"import time\nprint('x')\ntime.sleep(1)\n{RESULT}", server, lease_ms=1500) == "done"
    assert alive.is_set()


def test_a_step_is_ended_when_its_server_was_not_heard_as_long_as_the_lease(tmp_path):
    server = Server(heartbeat=unreachable, output=unreachable)

    assert carry_out(tmp_path, FOR_EVER, server, lease_ms=300) == "lost"
    assert {"complete", "fail", "release"}.isdisjoint(server.verbs())


def test_a_canceled_step_is_ended_by_the_answer_to_a_heartbeat(tmp_path):
    server = Server(heartbeat=refuse(410))

    assert carry_out(tmp_path, FOR_EVER, server, lease_ms=3000) == "lost"
    assert {"complete", "fail", "release"}.isdisjoint(server.verbs())


@pytest.mark.parametrize("status", [400, 413])
def test_a_result_that_the_server_cannot_take_fails_the_run_and_says_why(tmp_path, status):
    server = Server(complete=refuse(status))

    carry_out(tmp_path, RESULT, server)

    (error,) = [body["error"] for verb, body in server.told if verb == "fail"]
    assert error == "The step's result was refused: It has too many bytes."


def test_a_result_that_comes_too_late_is_not_told_in_another_way(tmp_path):
    server = Server(complete=refuse(409))

    assert carry_out(tmp_path, RESULT, server) == "lost"
    assert "fail" not in server.verbs()


def test_what_the_server_stores_no_more_of_is_not_sent():
    sent = []

    def send(pieces):
        sent.extend(pieces)
        transcript.enough()

    transcript = Transcript(send)
    transcript.write("stdout", "a")
    transcript.flush()
    transcript.write("stdout", 'FLOW_RESULT {"status": "changed"}\n')
    transcript.flush()

    assert [piece["text"] for piece in sent] == ["a"]
    assert transcript.listener.outcome(code=0, last_words="").result == {"status": "changed"}


def test_output_beyond_what_is_kept_is_missing_where_it_was_written_and_goes_on_later(monkeypatch):
    monkeypatch.setattr("flow_worker.transcript._KEPT_BYTES", 3)
    sent = []
    transcript = Transcript(sent.extend)
    for text in ("abcd", "lost", "too"):
        transcript.write("stdout", text)
    transcript.flush()

    transcript.write("stdout", "again")
    transcript.flush()

    assert [(piece["seq"], piece["kind"]) for piece in sent] == [(1, "stdout"), (2, "system"), (3, "stdout")]
    assert sent[-1]["text"] == "again"


def test_a_worker_with_a_free_slot_waits_for_work_at_the_server_while_another_works(tmp_path):
    package(tmp_path / "ci", **{"build.py": FOR_EVER})
    waited = []

    def claims(body):
        waited.append(body["waitMs"])
        if len(waited) == 1:
            return {"claims": [claimed()]}
        worker.stop()
        return {"claims": []}

    worker = Worker(Backend(Server(claims=claims)), Options(roots=[tmp_path], slots=2, drain_s=0))
    worker.run()

    assert len(waited) == 2
    assert all(waited)


def test_what_was_claimed_while_the_worker_was_told_to_end_is_given_back_unbegun(tmp_path):
    package(tmp_path / "ci", **{"build.py": FOR_EVER})

    def claims(_):
        worker.stop()
        return {"claims": [claimed()]}

    server = Server(claims=claims)
    worker = Worker(Backend(server), Options(roots=[tmp_path]))
    worker.run()

    assert server.told[-1] == ("release", {"leaseToken": "t", "delayMs": 0})
    assert worker.done == 0


@pytest.mark.parametrize("script", ["a\\u0000b.py", "loop.py"])
def test_a_script_that_no_file_can_be_keeps_no_other_package_from_being_found(tmp_path, script):
    folder = package(tmp_path / "a", FLOW.replace("build.py", script))
    (folder / "loop.py").symlink_to(folder / "loop.py")
    package(tmp_path / "b")

    found = discover([tmp_path])

    assert [one.root.name for one in found.packages] == ["b"]
    assert "a/flow.toml" in found.broken[0]
