"""What nobody should send: each is answered, none with a 5xx, and none with a redirect, which would lose its body."""

import json

import pytest

from flows.models import FlowEvent, FlowRun
from tests.integration.flows.making import event, step
from tests.integration.flows.wire import exchange, signature

HUGE = "1" + "0" * 400
ROOT = "/api/flows/"


@pytest.fixture
def ask(port, key):
    """Send a body of bytes, or a value as JSON, with a key: the status, and what the answer says."""

    def call(method, target, body=None, **headers):
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"accept": "*/*", "x-api-key": key}
        if body is not None:
            given |= {"content-type": "application/json", "content-length": str(len(raw))}
        status, answered, text = exchange(port, method, target, given | headers, raw)
        assert status < 300 or 400 <= status < 500, (method, target, raw[:200], text)
        if status >= 400 and status != 405 and method != "HEAD" and answered.get("content-type"):
            assert "problem+json" in answered["content-type"], (method, target, answered)
        return status, json.loads(text) if text else None

    return call


def nested(depth, inside="1"):
    return ("[" * depth + inside + "]" * depth).encode()


def test_what_is_no_event_is_refused_and_not_stored(ask):
    whole = json.dumps(event("e1")).encode()
    for body in (
        b"",
        b"{",
        b"[]",
        b"1",
        b"null",
        b'"text"',
        b"{}",
        whole[:-1],
        whole + b"}",
        b"\xef\xbb\xbf" + whole,
        b"\xff" + whole,
        whole.decode().encode("utf-16"),
        b'{"id":"e","type":"t","payload":NaN}',
        b'{"id":"e","type":"t","payload":1e999}',
        b'{"id":"e","type":"t","payload":-Infinity}',
        b'{"id":"a\\u0000b","type":"t"}',
        b'{"id":"e","type":"t\\u0000"}',
        b'{"id":"e","type":"t","payload":{"\\u0000":1}}',
        b'{"id":"\\ud800","type":"t"}',
        b'{"id":"e","type":"t","payload":"\\udfff"}',
        b'{"id":"e","type":"t","more":"\\ud800"}',
        b'{"id":"e","type":"t","payload":' + b"9" * 5000 + b"}",
        b'{"id":"","type":"t"}',
        b'{"id":"e","type":""}',
        b'{"id":1,"type":"t"}',
        b'{"id":null,"type":"t"}',
        b'{"id":["e"],"type":"t"}',
        b'{"id":"e","type":{"a":1}}',
        b'{"id":"e","type":"t","source":1}',
        b'{"id":"e","type":"t","occurredAt":{}}',
        json.dumps(event("x" * 1001)).encode(),
        json.dumps(event("e", type="t" * 301)).encode(),
        json.dumps(event("".join(chr(0x4E00 + 7919 * n % 20000) for n in range(1000)))).encode(),
        json.dumps(event("e", payload="x" * 1_100_000)).encode(),
        json.dumps(event("e", payload="x" * 3_000_000)).encode(),
        b'{"id":"e","type":"t","payload":' + nested(100_000) + b"}",
    ):
        for target in ("events", "flow-events"):
            status, answer = ask("POST", ROOT + target, body)
            assert status in (400, 413, 422), (status, body[:80])
            assert answer["code"]
    assert ask("POST", f"{ROOT}events", whole, **{"content-type": "text/plain"})[0] == 415
    assert not FlowEvent.objects.exists()


def test_however_deep_a_payload_is_it_is_refused_or_can_be_read_again(ask):
    ask("PUT", f"{ROOT}manifests/ci", {"version": 1, "steps": [step()]})
    accepted = []
    for depth in (1, 10, 50, 90, 97, 98, 99, 100, 101, 150, 300, 600, 850, 900, 925, 950, 975, 1000, 1500, 5000):
        body = b'{"id":"deep%d","type":"pushed","payload":%s}' % (depth, nested(depth))
        status, _ = ask("POST", f"{ROOT}events", body)
        assert status in (202, 400, 422)
        if status == 202:
            accepted.append(depth)
            assert (
                ask("POST", f"{ROOT}events", body)[0] == ask("POST", f"{ROOT}events/deep{depth}/replay", {})[0] == 202
            )
            assert ask("GET", f"{ROOT}events/deep{depth}")[0] == 200

    assert accepted == [1, 10, 50, 90, 97, 98, 99]  # the event itself is one
    status, listed = ask("GET", f"{ROOT}events")
    assert (status, len(listed["events"])) == (200, len(accepted))
    leases = ask("POST", f"{ROOT}claims", {"workerId": "w", "count": 100})[1]["claims"]
    assert len(leases) == 2 * len(accepted)


def test_whatever_a_worker_says_wrong_is_told_to_it(ask):
    assert ask("PUT", f"{ROOT}manifests/ci", {"version": 1, "steps": [step()]})[0] == 201
    ask("POST", f"{ROOT}events", event())
    for more in (
        b'"leaseMs":"NaN"',
        b'"leaseMs":"Infinity"',
        b'"leaseMs":"-Infinity"',
        f'"leaseMs":{HUGE}'.encode(),
        b'"leaseMs":{}',
        b'"count":0',
        b'"count":201',
        b'"count":1.5',
        f'"count":{HUGE}'.encode(),
        b'"runners":[]',
        b'"runners":["perl"]',
        b'"runners":[{}]',
        b'"runners":"bun"',
        b'"flows":[1]',
        b'"labels":[null]',
        b'"labels":{}',
        b'"waitMs":-1',
        b'"more":1',
    ):
        status, _ = ask("POST", f"{ROOT}claims", b'{"workerId":"w",%s}' % more)
        assert status == 422, (status, more)
    for body in (b"{}", b"[]", b'{"workerId":""}', b'{"workerId":5}', json.dumps({"workerId": "w" * 201}).encode()):
        assert ask("POST", f"{ROOT}claims", body)[0] in (400, 422), body
    lease = ask("POST", f"{ROOT}claims", {"workerId": "é", "leaseMs": 0})[1]
    held = f"{ROOT}attempts/{lease['attemptId']}/"
    proof = f'"leaseToken":"{lease["leaseToken"]}"'.encode()
    for verb, more in (
        ("heartbeat", b'"leaseMs":"nan"'),
        ("heartbeat", f'"leaseMs":{HUGE}'.encode()),
        ("output", b'"output":[]'),
        ("output", b'"output":[1]'),
        ("output", b'"output":[{}]'),
        ("output", b'"output":{}'),
        ("output", b'"output":[{"seq":1,"kind":[],"text":"x"}]'),
        ("output", b'"output":[{"seq":1,"kind":{},"text":"x"}]'),
        ("output", b'"output":[{"seq":true,"kind":"stdout","text":"x"}]'),
        ("output", b'"output":[{"seq":1,"kind":"stdout","text":null}]'),
        ("output", f'"output":[{{"seq":{HUGE},"kind":"stdout","text":"x"}}]'.encode()),
        ("fail", b'"error":5'),
        ("complete", b'"more":1'),
        ("complete", b'"result":' + nested(400)),
        ("release", b'"delayMs":-1'),
        ("release", f'"delayMs":{HUGE}'.encode()),
    ):
        status, _ = ask("POST", held + verb, b"{%s,%s}" % (proof, more))
        assert status in (400, 422), (status, verb, more)
    for attempt in (
        "x",
        "frun_x.1",
        "%00",
        "frun_x.999999999",
        "a%2Fb",
        "frun_%F0%9F%8E%AC.1",
        f"{lease['attemptId']}%0A",
    ):
        for verb in ("heartbeat", "output", "complete", "fail", "release"):
            assert ask("POST", f"{ROOT}attempts/{attempt}/{verb}", {"leaseToken": "x"})[0] in (404, 422)
    assert ask("POST", f"{held}complete", {"leaseToken": "\U0001f3ac", "result": 1})[0] == 409
    assert ask("POST", f"{held}complete", {"leaseToken": lease["leaseToken"], "result": "just a text"})[0] == 200


def test_a_flow_that_is_none_is_refused_with_the_places(ask):
    for body in (
        b"{}",
        b'{"version":"1"}',
        b'{"version":%s}' % HUGE.encode(),
        b'{"version":true}',
        b'{"version":1,"name":"other"}',
        b'{"version":1,"guidance":{}}',
        b'{"version":1,"steps":{}}',
        b'{"version":1,"steps":[1]}',
        b'{"version":1,"steps":[{}]}',
        b'{"version":1,"config":' + nested(400) + b"}",
        b'{"version":1,"description":"\\u0000"}',
        *(
            json.dumps({"version": 1, "steps": [step(**wrong)]}).encode()
            for wrong in (
                {"name": ""},
                {"runner": "perl"},
                {"runner": []},
                {"script": None},
                {"timeoutMs": int(HUGE)},
                {"timeoutMs": 0},
                {"labels": [[]]},
                {"labels": "x"},
                {"priority": int(HUGE)},
                {"maxAttempts": 0},
                {"trigger": {"type": 5}},
                {"trigger": {"type": "t", "schemaJson": {"pattern": "("}}},
                {"concurrency": {"key": "", "limit": 1}},
                {"concurrency": {"key": "k", "limit": int(HUGE)}},
                {"what": 1},
            )
        ),
    ):
        assert ask("PUT", f"{ROOT}manifests/ci", body)[0] in (400, 422), body[:120]
    assert ask("PUT", f"{ROOT}manifests/%00", {"version": 1})[0] == 422
    assert ask("PUT", f"{ROOT}manifests/a%2Fb%0Ac", {"version": 1})[0] == 201
    assert ask("POST", f"{ROOT}manifests/a%2Fb%0Ac/disable")[0] == 200
    assert ask("DELETE", f"{ROOT}manifests/a%2Fb%0Ac")[0] == 204


def test_no_method_at_any_address_is_a_redirect_or_a_failure(ask, port):
    ask("POST", f"{ROOT}events", event("a/b"))
    paths = [
        "",
        "events",
        "flow-events",
        "events/a%2Fb",
        "events/a%2Fb/replay",
        "events/none",
        "events/%00",
        "events/%FF",
        "runs",
    ]
    paths += [
        "events/..",
        "events/.",
        "events/%2e%2e",
        "events//",
        "runs/none",
        "runs/%00",
        "runs/%00/cancel",
        "runs/%00/redrive",
    ]
    paths += [
        "runs/%00/output",
        "runs/a%2Fb/cancel",
        "runs/none/redrive",
        "claims",
        "manifests",
        "manifests/%00",
        "manifests/x/enable",
    ]
    for path in paths:
        for target in (ROOT + path, f"{ROOT}{path}/", f"{ROOT}{path}?limit=%00&cursor=%FF&type=%00&eventId=%00"):
            for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "TRACE"):
                ask(method, target, b"{}" if method in ("POST", "PUT", "PATCH") else None)
    for query in (
        "cursor=WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5Il0",
        "cursor=x",
        "cursor=W10",
        "cursor=bnVsbA",
        "status=x",
        "status=%00",
    ):
        for name in ("runs", "events", "manifests"):
            ask("GET", f"{ROOT}{name}?{query}")
    assert ask("HEAD", f"{ROOT}events/a%2Fb")[0] == ask("GET", f"{ROOT}events/a%2Fb")[0] == 200
    assert FlowEvent.objects.get().replays == 2  # of what was asked, only these were replays
    assert not FlowRun.objects.exists()


def test_an_address_with_a_slash_at_its_end_loses_no_event(ask):
    for target in ("events/", "flow-events/", "events//"):
        status, _ = ask("POST", ROOT + target, event())
        assert status in (404, 405)


def test_a_refused_sender_is_not_told_what_there_is(port):
    body = json.dumps(event()).encode()
    for headers in ({}, {"x-flow-signature-256": signature(body + b" ")}):
        sized = {"content-type": "application/json", "content-length": str(len(body)), **headers}
        for target in ("events", "events/e1/replay", "runs/frun_x/cancel"):
            status, _, text = exchange(port, "POST", ROOT + target, sized, body)
            assert (status, json.loads(text)["code"]) == (401, "NOT_AUTHENTICATED")
