"""The emulator's own controls, and the process that serves it."""

import json
import signal
import subprocess
import sys

import pytest
import requests

from providers.emulator import Emulator
from providers.emulator.wire import take_request


@pytest.fixture
def url():
    with Emulator() as emulator:
        yield emulator.urls["fal"]


def submit(url, body=None, **headers):
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": "Key k", **headers}
        return session.post(f"{url}/fal-ai/flux/dev", json=body or {"prompt": "p"}, headers=headers, timeout=5)


def control(method, url, subject, document=None):
    answer = requests.request(method, f"{url}/__emu__/{subject}", json=document, timeout=5)
    return answer.status_code, answer.json()


def test_faults_are_planned_over_http_and_used_up(url):
    status, rules = control(
        "POST", url, "plan", {"rules": [{"on": "submit", "do": "status", "status": 429, "times": 2}]}
    )

    assert status == 200
    assert rules[0]["times"] == 2
    assert [submit(url).status_code for _ in range(3)] == [429, 429, 200]


def test_a_fault_may_wait_and_may_hit_one_model(url):
    control("POST", url, "plan", {"rules": [{"on": "submit", "do": "nginx", "model": "fal-ai/flux/dev", "after": 1}]})

    assert [submit(url).status_code for _ in range(3)] == [200, 502, 200]


def test_faults_are_taken_back(url):
    control("POST", url, "plan", {"rules": [{"on": "*", "do": "nginx", "times": None}]})

    control("DELETE", url, "plan")

    assert submit(url).status_code == 200


def test_a_rule_that_makes_no_sense_is_refused(url):
    assert control("POST", url, "plan", {"rules": [{"on": "submit", "do": "nginx", "twice": True}]})[0] == 422


def test_the_journal_counts_what_was_bought_by_body_and_by_key(url):
    submit(url, {"prompt": "a"}, **{"X-Zap-Idem-Key": "one"})
    submit(url, {"prompt": "a"}, **{"X-Zap-Idem-Key": "one"})
    submit(url, {"prompt": "b"}, **{"X-Zap-Idem-Key": "two"})
    control("POST", url, "plan", {"rules": [{"on": "submit", "do": "drop"}]})
    with pytest.raises(requests.ConnectionError):
        submit(url, {"prompt": "c"}, **{"X-Zap-Idem-Key": "three"})

    _, log = control("GET", url, "log")

    assert len(log["submissions"]) == 4
    assert log["accepted"]["total"] == 3
    assert log["accepted"]["byIdemKey"] == {"one": 2, "two": 1}
    assert sorted(log["accepted"]["byBody"].values()) == [1, 2]
    assert log["calls"] == {"submit 200": 3, "submit drop": 1}


def test_time_can_be_stopped_and_moved(url):
    control("POST", url, "pace", {"queue_s": 5, "run_s": 5})
    control("POST", url, "clock", {"freeze": True})
    status_url = submit(url).json()["status_url"]

    seen = []
    for _ in range(3):
        answer = requests.get(status_url, headers={"Authorization": "Key k"}, timeout=5)
        seen.append((answer.status_code, answer.json()["status"]))
        control("POST", url, "clock", {"advance_s": 5})

    assert seen == [(202, "IN_QUEUE"), (202, "IN_PROGRESS"), (200, "COMPLETED")]


def test_the_status_is_streamed_until_the_end(url):
    control("POST", url, "pace", {"run_s": 0.2})
    job = submit(url).json()

    answer = requests.get(f"{job['status_url']}/stream?logs=1", headers={"Authorization": "Key k"}, timeout=5)

    events = [json.loads(line[6:])["status"] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert answer.headers["content-type"] == "text/event-stream"
    assert events == ["IN_PROGRESS", "COMPLETED"]


def test_an_address_under_the_endpoint_s_whole_path_is_not_found(url):
    job = submit(url).json()
    wrong = job["status_url"].replace("/fal-ai/flux/requests/", "/fal-ai/flux/dev/requests/")

    assert requests.get(wrong, headers={"Authorization": "Key k"}, timeout=5).status_code == 404


def test_requests_may_come_in_pieces_and_one_after_the_other():
    buffer = bytearray(b"POST /a?b=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nab")

    assert take_request(buffer) is None
    buffer += b"cGET /d HTTP/1.1\r\n\r\n"
    first, second = take_request(buffer), take_request(buffer)

    assert (first.method, first.path, first.query, first.body) == ("POST", "/a", "b=1", b"abc")
    assert (second.method, second.path, second.body) == ("GET", "/d", b"")
    assert buffer == b""


def test_a_body_may_come_in_chunks():
    buffer = bytearray(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")

    assert take_request(buffer).body == b"abcde"
    assert buffer == b""


def test_the_process_says_where_the_vendors_are_and_stops_when_told():
    command = [sys.executable, "-m", "providers.emulator", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        urls = json.loads(process.stdout.readline())
        answer = submit(urls["fal"])
        seen = requests.post(f"{urls['judge']}/chat/completions", timeout=5)
        process.send_signal(signal.SIGTERM)

        assert answer.status_code == 200
        assert seen.status_code == 401
        assert process.wait(10) == 0
