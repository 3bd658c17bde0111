"""What steps write: stored once, in order, up to a cap, and read from any place."""

import pytest

from core.errors import BadInput
from flows import claims, output, queries, results
from flows.models import FlowAttempt, FlowOutput, FlowRun
from flows.queries import Place
from flows.refusals import LeaseExpired, LeaseLost, OutputGap, RunCanceled
from tests.integration.flows.making import NOON, after, claim_one, dispatch, step, sync

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
