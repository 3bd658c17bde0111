"""The wire contract of senders and readers: an unmodified client's seven requests, as bytes on a socket."""

import json
import threading
from datetime import datetime

import pytest
from django.urls import include, path

from flows import claims, output, results
from flows.models import FlowEvent, FlowRun
from tests.integration.flows.making import event, step, sync
from tests.integration.flows.wire import SECRET, Client, Failed, exchange, read_dispatch, signature

urlpatterns = [path("deep/below/a/prefix/", include("flows.api.urls"))]
IDS = [
    "patch:upstream.release:openai/codex:v1.2", "a/b", "/a", "a/", "//", "a%2Fb", "100%", "%", "a?b=c#d", "é/日本/🎬",
    "a b+c", "a/replay", "replay", "events", "...", "a\nb", "a;b,c'd\"e", ":::", "E/1", "e-1", "x" * 1000,
]  # fmt: skip


def moment(text):
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def claim():
    (lease,) = claims.claim("w1")
    return lease


def test_the_seven_requests_are_answered_as_their_client_reads_them(client):
    sync("ci", step("build"), step("ship", on="released"), version=1.5)

    sent = client.dispatch(event("patch:a/b:1", payload={"tag": "é"}, source="feed", occurredAt="yesterday"))
    (run_id,) = sent["runIds"]
    assert (sent["status"], sent["eventId"], sent["matched"], sent["idempotent"]) == (
        "accepted", "patch:a/b:1", 1, False,
    )  # fmt: skip
    assert [run["id"] for run in sent["runs"]] == [run_id]
    lease = claim()
    output.append(lease.attempt_id, lease.token, [{"seq": 1, "kind": "stdout", "text": "hi\n"}])

    run = client.get_run(run_id)
    assert (run["status"], run["eventId"], run["flowName"], run["stepName"], run["runner"]) == (
        "running", "patch:a/b:1", "ci", "build", "python",
    )  # fmt: skip
    assert (run["flowVersion"], run["attemptCount"]) == (1.5, 1)
    assert run["backend"]
    assert "completedAt" not in run
    assert moment(run["createdAt"]) <= moment(run["startedAt"]) <= moment(run["updatedAt"])
    (attempt,) = run["attempts"]
    assert (attempt["id"], attempt["status"], attempt["workerId"], attempt["attemptNumber"]) == (
        lease.attempt_id, "running", "w1", 1,
    )  # fmt: skip
    assert attempt["leaseExpiresAt"] == round(lease.until.timestamp() * 1_000_000) // 1000
    assert [(piece["kind"], piece["text"]) for piece in run["output"]] == [("stdout", "hi\n")]

    results.complete(lease.attempt_id, lease.token, {"status": "blocked", "message": "no"})
    (run,) = client.list_runs(eventId="patch:a/b:1", status="completed", limit=1)
    assert (run["status"], run["effective"], run["result"]["message"]) == ("completed", "blocked", "no")
    assert moment(run["completedAt"])
    found, runs = client.get_event("patch:a/b:1")
    assert (found["payload"], found["source"], found["occurredAt"]) == ({"tag": "é"}, "feed", "yesterday")
    assert moment(found["receivedAt"])
    assert [run["id"] for run in runs] == [run_id]
    assert [one["id"] for one in client.list_events(type="pushed", limit=5)] == ["patch:a/b:1"]
    assert client.list_events(type="released") == []

    again = client.replay("patch:a/b:1")
    assert (again["status"], again["matched"]) == ("accepted", 1)
    assert again["runIds"] != [run_id]
    canceled = client.cancel(again["runIds"][0])
    assert (canceled["id"], canceled["status"], canceled["effective"]) == (again["runIds"][0], "canceled", "canceled")
    with pytest.raises(Failed, match="409"):
        client.cancel(run_id)


def test_an_event_sent_again_is_a_duplicate_with_its_runs_and_another_under_its_id_is_refused(client):
    sync()
    once = client.dispatch(event("e1", payload={"a": 1, "b": [1.5, None]}))
    again = client.dispatch({"payload": {"b": [1.5, None], "a": 1}, "type": "pushed", "id": "e1", "receivedAt": "now"})

    assert (again["status"], again["matched"], again["idempotent"]) == ("duplicate", 0, True)
    assert again["runIds"] == once["runIds"]
    assert again["event"] == once["event"]
    for changed in (event("e1", payload={"a": 2}), event("e1", type="other"), event("e1", source="else")):
        with pytest.raises(Failed, match="409"):
            client.dispatch(changed)
    assert FlowRun.objects.count() == 1


def test_ids_may_hold_whatever_a_client_can_encode(client):
    sync()
    for event_id in IDS:
        sent = client.dispatch(event(event_id))
        found, runs = client.get_event(event_id)
        assert (found["id"], [run["id"] for run in runs]) == (event_id, sent["runIds"])
        assert [run["id"] for run in client.list_runs(eventId=event_id)] == sent["runIds"]
        again = client.replay(event_id)
        assert (again["eventId"], again["matched"]) == (event_id, 1)
        assert set(again["runIds"]).isdisjoint(sent["runIds"])
    assert FlowRun.objects.count() == 2 * len(IDS)


def test_an_id_that_ends_as_another_address_does_is_not_taken_for_it(client):
    sync()
    for event_id in ("a", "a/replay", "a/replay/replay"):
        client.dispatch(event(event_id))

    assert client.get_event("a/replay")[0]["id"] == "a/replay"
    assert client.get_event("a/replay/replay")[0]["id"] == "a/replay/replay"
    assert FlowRun.objects.count() == 3
    assert client.replay("a/replay")["eventId"] == "a/replay"


def test_a_reader_shows_its_key_either_way_and_a_sender_may_sign_instead(port, key):
    sync()
    signs, bears, shows = Client(port, secret=SECRET), Client(port, bearer=key), Client(port, api_key=key)

    (run_id,) = signs.dispatch(event("e1"))["runIds"]
    assert signs.replay("e1")["matched"] == 1
    assert signs.cancel(run_id)["status"] == "canceled"
    for reads in (bears, shows):
        assert reads.get_run(run_id)["id"] == run_id
        assert reads.dispatch(event("e1"))["status"] == "duplicate"
    for nobody in (signs, Client(port), Client(port, bearer="zap_wrong"), Client(port, api_key="é")):
        for ask in (lambda who: who.list_runs(), lambda who: who.get_event("e1"), lambda who: who.get_run(run_id)):
            with pytest.raises(Failed, match="401"):
                ask(nobody)
    assert FlowRun.objects.get(run_id=run_id).canceled_by == "signature"


def test_the_signature_is_of_the_very_bytes(port):
    sync()
    odd = b' {\n\t"payload" : { "z":1,"a":"\\u00e9\xc3\xa9" } ,"type":"pushed" , "id" :"odd"}\r\n '

    def post(body, headers, target="/api/flows/events"):
        sized = {"accept": "*/*", "content-type": "application/json", "content-length": str(len(body)), **headers}
        return exchange(port, "POST", target, sized, body)[0]

    right = signature(odd)
    for wrong in (
        {}, {"x-flow-signature-256": ""}, {"x-flow-signature-256": signature(odd + b" ")},
        {"x-flow-signature-256": signature(json.dumps(json.loads(odd)).encode())},
        {"x-flow-signature-256": signature(odd, "")}, {"x-flow-signature-256": right.removeprefix("sha256=")},
        {"x-flow-signature-256": right.replace("sha256", "sha1")}, {"x-flow-signature-256": right.upper()},
        {"x-flow-signature-256": f"{right}é"}, {"x-hub-signature-256": right},
        {"x-flow-signature-256": signature(b""), "x-patch-flow-signature-256": right},
    ):  # fmt: skip
        assert post(odd, wrong) == 401, wrong
    assert not FlowEvent.objects.exists()
    for name in ("x-flow-signature-256", "X-Patch-Flow-Signature-256", "x-patchbay-flow-signature-256"):
        assert post(odd, {name: right}) == 202
    assert post(odd, {"x-flow-signature-256": right}, "/api/flows/flow-events") == 202
    assert FlowEvent.objects.get().payload == {"z": 1, "a": "éé"}


def test_a_body_in_chunks_is_signed_as_a_whole(port):
    body = json.dumps(event("e1")).encode()
    halves = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    headers = {"content-type": "application/json", "transfer-encoding": "chunked"}

    status, _, answer = exchange(
        port, "POST", "/api/flows/events", {**headers, "x-flow-signature-256": signature(body)}, halves
    )

    assert status == 202, answer
    assert read_dispatch(json.loads(answer))["status"] == "accepted"


def test_a_client_may_find_it_below_any_prefix(client, settings):
    settings.ROOT_URLCONF = __name__
    sync()
    below = Client(client.port, "/deep/below/a/prefix", headers=client.headers, secret=SECRET)

    assert below.dispatch(event("a/b"))["matched"] == 1
    assert below.get_event("a/b")[0]["id"] == "a/b"
    assert below.replay("a/b")["matched"] == 1
    with pytest.raises(Failed, match="404"):
        client.list_runs()


def test_waiting_answers_with_what_the_runs_became(client):
    sync()
    answers = []
    asks = threading.Thread(target=lambda: answers.append(client.dispatch(event("e1"), wait="true")))
    asks.start()
    lease = None
    while lease is None:
        lease = next(iter(claims.claim("w1")), None)
    results.complete(lease.attempt_id, lease.token, {"status": "changed"})
    asks.join()

    assert [run["effective"] for run in answers[0]["runs"]] == ["changed"]
    assert client.dispatch(event("e1"), wait="false")["status"] == "duplicate"


def test_lists_take_the_limit_as_far_as_it_makes_sense_and_every_filter_counts(client):
    sync()
    for number in range(53):
        client.dispatch(event(f"e{number}"))

    counts = {"": 50, "0": 50, "x": 50, "-3": 1, "1.9": 1, "51": 51, "1e9": 53, "NaN": 50, "Infinity": 50}
    for limit, count in counts.items():
        assert len(client.list_runs(limit=limit)) == len(client.list_events(limit=limit)) == count, limit
    assert [one["id"] for one in client.list_events(limit=2)] == ["e52", "e51"]
    assert client.list_runs(eventId="e1", status="failed") == []
    assert len(client.list_runs(eventId="e1", status="queued")) == 1
