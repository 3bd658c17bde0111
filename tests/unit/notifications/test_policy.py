from hypothesis import given
from hypothesis import strategies as st

from notifications import policy


@given(st.integers(1, 50), st.none() | st.floats(0, 3600))
def test_a_pause_is_never_shorter_than_the_receiver_asked_for(tries, asked_s):
    assert policy.pause_s(tries, asked_s) >= (asked_s or 0)


def test_pauses_grow_to_eight_hours():
    pauses = [policy.pause_s(tries, None) for tries in range(1, 12)]

    assert pauses[:9] == sorted(pauses[:9])
    assert 4 < pauses[0] < 6
    assert max(pauses) < 8 * 3600 * 1.1 + 1


@given(st.integers(0, 10_000))
def test_a_rest_is_five_minutes_at_most(failures):
    assert 1 <= policy.rest_s(failures, None) <= 300
