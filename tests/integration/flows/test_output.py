"""What steps write: stored once, in order, up to a cap, and read from any place."""

import json

import pytest
from django.test import Client

from core.errors import BadInput
from flows import claims, output, queries, results
from flows.models import FlowAttempt, FlowOutput, FlowRun
from flows.queries import Place
from flows.refusals import LeaseExpired, LeaseLost, OutputGap, RunCanceled
from tests.integration.flows.making import NOON, after, claim_one, dispatch, step, sync
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease():
    sync("ci", step(maxAttempts=2, retryOnFail=True, backoffMs=0))
    dispatch()
    return claim_one()


def piece(seq, text="x", kind="stdout"):
    return {"seq": seq, "kind": kind, "text": text}


def append(lease, *pieces, at=NOON):
    return output.append(lease.attempt_id, lease.token, list(pieces), at=at)


def run_of(lease):
    return FlowRun.objects.get(run_id=lease.run_id)


def texts(pieces):
    return [one.text for one in pieces]


def test_a_batch_sent_again_with_other_bytes_changes_nothing_that_is_stored(lease):
    append(lease, piece(1, "one"), piece(2, "two"))

    stored = append(lease, piece(1, "other"), piece(2, "bytes", "stderr"), piece(3, "three"))

    assert stored.last_seq == 3
    assert texts(FlowOutput.objects.all()) == ["one", "two", "three"]
    assert FlowAttempt.objects.get().output_bytes == len("onetwothree")


def test_a_batch_of_known_pieces_alone_may_begin_anywhere(lease):
    append(lease, *(piece(number) for number in range(1, 6)))

    assert append(lease, piece(3), piece(4)).last_seq == 5
    with pytest.raises(OutputGap) as caught:
        append(lease, piece(7))
    assert caught.value.extra == {"expectedSeq": 6}


@pytest.mark.parametrize(
    "pieces",
    [[], [piece(0)], [piece(1), piece(3)], [piece(2), piece(1)], [piece(1), piece(1)], [piece(1, kind="stdin")],
     [piece(1, "é" * 40_000)], [piece(1, "a\0b")], [piece(2**31)], [piece(n) for n in range(1, 502)]],
)  # fmt: skip
def test_what_cannot_be_stored_is_refused_whole(pieces, lease):
    with pytest.raises(BadInput):
        append(lease, *pieces)
    assert not FlowOutput.objects.exists()


def test_there_are_four_streams_and_they_share_one_sequence(lease):
    append(
        lease, *(piece(number, kind, kind) for number, kind in enumerate(("stdout", "stderr", "system", "agent"), 1))
    )

    assert [(one.seq, one.kind) for one in queries.output_after(run_of(lease), Place(), limit=10)] == [
        (1, "stdout"), (2, "stderr"), (3, "system"), (4, "agent"),
    ]  # fmt: skip


def test_an_attempt_is_cut_at_its_cap_in_bytes_and_the_next_one_has_a_cap_of_its_own(lease, monkeypatch):
    monkeypatch.setattr(output, "MAX_ATTEMPT_BYTES", 10)

    assert not append(lease, piece(1, "éé"), piece(2, "123456")).is_cut
    cut = append(lease, piece(3, "7"), piece(4, ""))
    assert (cut.is_cut, cut.last_seq) == (True, 4)
    assert append(lease, piece(5, "")).last_seq == 5
    results.fail(lease.attempt_id, lease.token, "no", at=NOON)
    second = claim_one(at=after(1))
    assert not append(second, piece(1, "0123456789"), at=after(1)).is_cut

    assert texts(queries.output_after(run_of(lease), Place(), limit=10)) == ["éé", "123456", "0123456789"]
    assert list(FlowAttempt.objects.order_by("number").values_list("output_bytes", "is_output_cut")) == [
        (10, True), (10, False),
    ]  # fmt: skip


def test_readers_go_on_behind_any_place_and_over_every_attempt(lease):
    append(lease, piece(1, "a"), piece(2, "b"))
    results.fail(lease.attempt_id, lease.token, "no", at=NOON)
    second = claim_one(at=after(1))
    append(second, piece(1, "c"), piece(2, "d"), at=after(1))
    run = run_of(lease)

    seen, place = [], Place()
    while found := queries.output_after(run, place, limit=1):
        seen += texts(found)
        place = Place(attempt=found[-1].attempt.number, seq=found[-1].seq)

    assert seen == ["a", "b", "c", "d"]
    assert texts(queries.output_after(run, Place.read("1.9"), limit=10)) == ["c", "d"]
    assert queries.output_after(run, Place.read("3.0"), limit=10) == []
    assert texts(queries.output_tail(run, limit=3)) == ["b", "c", "d"]


@pytest.fixture
def read(lease):
    """`read("output", after="1.2")`: what a reader is told below the run's address, and how many bytes it is."""
    asker = Client(headers=bearer(make_user("sam", staff=True)))

    def ask(path, **query):
        answer = asker.get(f"/api/flows/runs/{lease.run_id}{path}", query)
        assert answer.status_code == 200
        return json.loads(answer.content), len(answer.content)

    return ask


def write_large(lease, *numbers, text="x" * output.MAX_PIECE, at=NOON):
    append(lease, *(piece(number, text) for number in numbers), at=at)


def numbers(found):
    return [(one["attemptNumber"], one["seq"]) for one in found]


@pytest.mark.parametrize("letter", ["x", "é", "語"])
def test_the_largest_pieces_are_read_a_million_bytes_at_a_time_and_none_is_lost(lease, read, letter):
    write_large(lease, *range(1, 41), text=letter * (output.MAX_PIECE // len(letter.encode())))
    results.fail(lease.attempt_id, lease.token, "no", at=NOON)
    write_large(claim_one(at=after(1)), 1, 2, at=after(1))

    pages, place = [], ""
    while (answer := read("/output", after=place))[0]["output"]:
        page, size = answer
        assert size < 1_200_000
        pages.append(numbers(page["output"]))
        place = page["next"]

    assert [len(page) for page in pages] == [16, 16, 10]
    assert [one for page in pages for one in page] == [*((1, number) for number in range(1, 41)), (2, 1), (2, 2)]


def test_the_tail_of_the_largest_pieces_is_the_newest_million_bytes(lease, read):
    write_large(lease, *range(1, 41))
    append(lease, piece(41, "last words"))

    (tail, size), (whole, size_of_whole) = read("/output", tail="true"), read("")
    # The last words and 15 large ones come short of a million, and one more reaches it.
    newest = [(1, number) for number in range(25, 42)]
    assert numbers(tail["output"]) == numbers(whole["run"]["output"]) == newest
    assert max(size, size_of_whole) < 1_200_000
    assert tail["next"] == "1.41"
    assert numbers(read("/output", tail="true", limit=3)[0]["output"]) == newest[-3:]


def test_a_piece_that_is_more_than_fits_is_read_alone(lease, read, monkeypatch):
    monkeypatch.setattr(queries, "MAX_BYTES", 10)
    append(lease, piece(1, "0123456789"), piece(2, ""), piece(3, "012345678"), piece(4, "é"), piece(5, "x" * 50))

    pages = [numbers(read("/output", after=f"1.{seen}")[0]["output"]) for seen in range(6)]

    assert pages == [
        [(1, 1)], [(1, 2), (1, 3), (1, 4)], [(1, 3), (1, 4)], [(1, 4), (1, 5)], [(1, 5)], [],
    ]  # fmt: skip
    assert numbers(read("/output", tail="true")[0]["output"]) == [(1, 5)]


@pytest.mark.parametrize("text", ["x", "1", "1.", ".1", "1.2.3", "-1.2", "1.1e3", "1.٣", "1.9999999999"])
def test_a_place_that_we_did_not_give_out_is_refused(text):
    with pytest.raises(BadInput):
        Place.read(text)


def test_nobody_writes_for_a_lease_that_is_over(lease):
    append(lease, piece(1))
    with pytest.raises(LeaseLost):
        output.append(lease.attempt_id, "another", [piece(2)], at=NOON)
    with pytest.raises(LeaseExpired):
        append(lease, piece(2), at=after(3600))
    results.cancel(lease.run_id)
    with pytest.raises(RunCanceled):
        append(lease, piece(2))

    assert FlowOutput.objects.count() == 1


def test_output_that_came_before_the_end_is_read_after_it_and_nothing_is_added(lease):
    append(lease, piece(1, "last words"))
    results.complete(lease.attempt_id, lease.token, {}, at=NOON)

    with pytest.raises(LeaseLost):
        append(lease, piece(2))

    assert texts(queries.output_tail(run_of(lease))) == ["last words"]
    assert claims.claim("w2", at=after(9)) == []
