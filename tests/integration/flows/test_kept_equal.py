"""What the backend whose wire contract this keeps does, and what is the same here, one promise after the other."""

import json

import pytest

from flows import claims, events, results, states, sweep
from flows.models import FlowRun
from tests.integration.flows.making import after, claim_one, dispatch, event, step, sync
from tests.integration.flows.wire import Client, Failed, exchange, signature

pytestmark = pytest.mark.django_db


def test_every_word_that_a_client_may_meet_is_the_same():
    assert [*states.RunStatus] == ["queued", "running", "completed", "failed", "canceled"]
    assert [*states.AttemptStatus] == ["running", "completed", "failed", "canceled"]
    assert [*states.OutputKind] == ["system", "stdout", "stderr", "agent"]
    assert {*states.Runner} >= {"bun", "code-mode", "node"}
    assert {*states.ResultStatus} == {"skipped", "completed", "changed", "needs_intervention", "blocked", "failed"}
    assert {*states.NEED_ATTENTION} == {"blocked", "needs_intervention"}


@pytest.mark.parametrize(
    ("wanted_ms", "seconds"),
    [(None, 120), (0, 10), (-5, 10), (9_999, 10), (10_001, 10.001), (1_800_001, 1800), (1e300, 1800)],
)
def test_a_lease_lasts_two_minutes_or_what_is_asked_within_bounds(wanted_ms, seconds):
    sync()
    dispatch()

    lease = claim_one(lasts_ms=wanted_ms)

    assert lease.until == after(seconds)
    assert claims.heartbeat(lease.attempt_id, lease.token, lasts_ms=wanted_ms, at=after(1)) == after(1 + seconds)


def test_a_lease_is_not_swept_in_its_last_moment_and_is_in_the_next():
    sync()
    dispatch()
    lease = claim_one(lasts_ms=10_000)

    assert sweep.expire(at=after(10)) == []
    assert sweep.expire(at=after(10.001)) == [(lease.run_id, "queued")]


def test_attempts_count_from_one_and_a_run_began_with_its_first_claim():
    sync("ci", step(backoffMs=0))
    dispatch()
    first = claim_one(at=after(5), lasts_ms=10_000)
    sweep.expire(at=after(16))
    second = claim_one(at=after(20))

    assert (first.number, second.number) == (1, 2)
    assert FlowRun.objects.get().started_at == after(5)


def test_a_result_may_be_anything_and_what_it_says_is_another_axis():
    sync("ci", *(step(f"s{number}") for number in range(5)))
    dispatch()

    for found in ({"status": "failed"}, {"status": "canceled"}, "text", None, {"inner": {"status": "blocked"}}):
        lease = claim_one(at=after(1))
        results.complete(lease.attempt_id, lease.token, found, at=after(2))

    said = FlowRun.objects.order_by("pk").values_list("status", "result_status")
    assert list(said) == [("completed", "failed")] + [("completed", "")] * 4


def test_an_event_that_matches_nothing_is_kept_and_only_a_replay_starts_what_came_later():
    assert (dispatch().status, dispatch().status) == ("accepted", "duplicate")
    sync()

    again = dispatch()
    assert (again.status, again.matched, again.run_ids) == ("duplicate", 0, ())
    replayed = events.replay("e1", at=after(1))
    assert (replayed.status, replayed.matched) == ("accepted", 1)
    assert dispatch().run_ids == replayed.run_ids


def test_a_type_matches_as_a_whole_and_a_step_without_a_trigger_never_does():
    sync("ci", step("exact"), step("star", on="*"), step("longer", on="pushed.now"), {**step("none"), "trigger": None})

    assert dispatch().matched == 1
    assert [lease.step_name for lease in claims.claim("w", count=9, at=after(1))] == ["exact"]


def test_a_sync_takes_the_place_of_all_that_was_there_whatever_its_version():
    sync("ci", step("old"), version=3, description="d", config={"a": 1}, root="/r")
    row, is_new = sync("ci", step("new"), version=-1.5)

    assert (is_new, row.version, row.description, row.config, row.root) == (False, -1.5, "", None, "")
    assert dispatch().matched == 1
    assert claim_one(at=after(1)).step_name == "new"


@pytest.mark.django_db(transaction=True)
def test_without_a_secret_nothing_is_taken_for_signed(port, key, settings):
    settings.ZAP_FLOWS_SECRET = ""
    body = json.dumps(event()).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}

    for shown in ({}, {"x-flow-signature-256": signature(body, "")}, {"x-flow-signature-256": "sha256="}):
        assert exchange(port, "POST", "/api/flows/events", headers | shown, body)[0] == 401
    assert Client(port, api_key=key).dispatch(event())["status"] == "accepted"


@pytest.mark.django_db(transaction=True)
def test_an_id_is_the_same_whether_its_slashes_and_colons_are_encoded_or_not(client, key):
    sync()
    client.dispatch(event("patch:a/b:1"))

    for written in ("patch:a/b:1", "patch%3Aa%2Fb%3A1", "patch%3aa%2fb%3a1", "patch:a%2Fb:1"):
        for headers in ({"x-api-key": key}, {"authorization": f"Bearer {key}"}):
            status, _, body = exchange(client.port, "GET", f"/api/flows/events/{written}", headers)
            assert (status, json.loads(body)["event"]["id"]) == (200, "patch:a/b:1"), written
        replay = exchange(
            client.port, "POST", f"/api/flows/events/{written}/replay",
            {"content-type": "application/json", "content-length": "2", "x-flow-signature-256": signature(b"{}")},
            b"{}",
        )  # fmt: skip
        assert (replay[0], json.loads(replay[2])["eventId"]) == (202, "patch:a/b:1"), written


@pytest.mark.django_db(transaction=True)
def test_a_signature_opens_no_read(client):
    client.dispatch(event())
    signed = {"x-flow-signature-256": signature(b"")}

    assert exchange(client.port, "GET", "/api/flows/events", signed)[0] == 401
    with pytest.raises(Failed, match="404"):
        client.get_event("e2")
