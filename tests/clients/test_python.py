"""The Python client: against a server that is told what to say, and against the real one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clients.played import event
from zaps_client import Refused, Zaps
from zaps_client.sse import read_events

GONE = {
    "type": "urn:zap:problem:NOT_FOUND",
    "title": "Not found.",
    "status": 404,
    "code": "NOT_FOUND",
    "detail": "There is no such run.",
    "remediation": "Look at the id.",
    "retryable": False,
    "errors": [],
}


@pytest.fixture
def zaps(played):
    with Zaps(played.address, key="zap_one") as zaps:
        yield zaps


def test_it_follows_a_run_through_a_broken_connection_to_its_end(played, zaps):
    played.answers += [
        (200, [b"retry: 1\n\n", event(4, status="running"), event(5, status="running")[:-20]]),
        (503, b"a proxy speaks"),
        (200, [b"retry: 1\n\n: still here\n\n", event(7, status="done")]),
        (204, b""),
    ]

    seen = [snapshot["run"]["status"] for snapshot in zaps.follow("run_1")]

    assert seen == ["running", "done"]
    assert [path for _, path, _ in played.asked] == ["/api/runs/run_1/events"] * 4
    assert [headers.get("Last-Event-ID") for _, _, headers in played.asked] == [None, "4", "4", "7"]
    assert {headers["Authorization"] for _, _, headers in played.asked} == {"Bearer zap_one"}


def test_a_refusal_ends_the_following(played, zaps):
    played.answers += [(404, json.dumps(GONE).encode())]

    with pytest.raises(Refused, match="There is no such run") as refused:
        list(zaps.follow("run_1"))

    assert refused.value.code == "NOT_FOUND"
    assert len(played.asked) == 1


def test_an_answer_without_a_document_is_explained_all_the_same(played, zaps):
    played.answers += [(502, b"<h1>Bad gateway</h1>"), (403, b"")]

    for retryable in (True, False):
        with pytest.raises(Refused) as refused:
            zaps.recipes()
        assert (refused.value.code, refused.value.problem["retryable"]) == ("UNEXPLAINED", retryable)


def test_the_key_goes_to_its_own_server_only(played, zaps, tmp_path):
    with pytest.raises(ValueError, match="one server only"):
        zaps.save("http://localhost.example/film.mp4", tmp_path / "film.mp4")

    assert not (tmp_path / "film.mp4").exists()


def test_what_is_not_saved_leaves_no_file(played, zaps, tmp_path):
    played.answers += [(404, json.dumps(GONE).encode())]

    with pytest.raises(Refused):
        zaps.save("/api/assets/asset_1/content", tmp_path / "film.mp4")

    assert not (tmp_path / "film.mp4").exists()


def test_an_id_cannot_lead_to_another_address(played, zaps):
    played.answers += [(200, b"{}")]

    zaps.get("../keys?x=1")

    assert played.asked[0][1] == "/api/runs/..%2Fkeys%3Fx%3D1"


LINES = st.lists(st.sampled_from(["data: é", "data:x", "data", ": words", "id: 7", "event: snapshot", "retry: 20", ""]))


@given(lines=LINES, end=st.sampled_from(["\n", "\r\n", "\r"]), data=st.data())
def test_where_the_network_cuts_a_stream_changes_nothing(lines, end, data):
    whole = "".join(line + end for line in lines).encode() + b"\n"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    parts = [whole[begin:stop] for begin, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert list(read_events(parts)) == list(read_events([whole]))


def test_an_event_is_what_stands_before_an_empty_line():
    stream = b"retry: 2000\n\n: hello\nid: 3\nevent: snapshot\ndata: {\ndata:  }\n\ndata\n\nid: 4\n\ndata: cut off"

    found = [(one.name, one.data, one.id, one.retry_s) for one in read_events([stream])]

    assert found == [("snapshot", "{\n }", "3", 2.0), ("message", "", "3", 2.0)]
