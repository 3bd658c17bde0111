"""Answers that are kept: how long, for whom, and what becomes of failures."""

import threading
from types import SimpleNamespace

import pytest

from providers import kept
from providers.contract import Call, Reply
from providers.errors import Unavailable
from providers.kept import Kept

GOOD = Reply(status=200, headers={}, body=b"1")


class Asked:
    """A vendor who counts, and answers with what stands in `reply`."""

    def __init__(self, reply=GOOD):
        self.count, self.reply = 0, reply

    def __call__(self):
        self.count += 1
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


def call(cache_s=60.0, **fields):
    return Call(method="GET", url="https://example.com/keys", cache_s=cache_s, **fields)


def test_an_answer_is_good_for_as_long_as_the_call_says(clock):
    keeper, asked = Kept(), Asked()

    for now, count in ((1000, 1), (1060, 1), (1061, 2)):
        clock.now = now
        assert keeper.get(call(), asked) is GOOD
        assert asked.count == count


def test_another_call_may_want_a_younger_one(clock):
    keeper, asked = Kept(), Asked()
    keeper.get(call(86_400), asked)
    clock.now += 61

    keeper.get(call(86_400), asked)
    assert asked.count == 1
    keeper.get(call(60), asked)
    assert asked.count == 2


def test_two_keys_never_share_an_answer(clock):
    keeper, asked = Kept(), Asked()

    keeper.get(call(headers={"Authorization": "a"}), asked)
    keeper.get(call(headers={"Authorization": "b"}), asked)

    assert asked.count == 2


@pytest.mark.parametrize("failure", [Unavailable(), Reply(status=500, headers={}, body=b"")])
def test_who_failed_is_left_alone_for_a_moment(clock, failure):
    keeper, asked = Kept(), Asked(failure)
    try:
        assert keeper.get(call(), asked) is failure
    except Unavailable:
        pass

    with pytest.raises(Unavailable):
        keeper.get(call(), asked)
    assert asked.count == 1
    clock.now, asked.reply = clock.now + 5, GOOD
    assert keeper.get(call(), asked) is GOOD


def test_a_failure_takes_no_good_answer_away(clock):
    keeper, asked = Kept(), Asked()
    keeper.get(call(86_400), asked)
    clock.now, asked.reply = clock.now + 61, Unavailable()
    with pytest.raises(Unavailable):
        keeper.get(call(60), asked)

    assert keeper.get(call(86_400), asked) is GOOD


def test_it_does_not_grow_without_end(clock):
    keeper = Kept()

    for number in range(600):
        keeper.get(call(headers={"Authorization": str(number)}), Asked())
        keeper.keep(call(headers={"Authorization": f"bad {number}"}), Reply(status=500, headers={}, body=b""))

    assert (len(keeper._good), len(keeper._failed)) == (512, 512)


def test_of_many_callers_one_asks():
    keeper, begin, asked = Kept(), threading.Barrier(8), Asked()

    def ask_slowly():
        threading.Event().wait(0.1)  # long enough for the others to come
        return asked()

    def get():
        begin.wait(10)
        keeper.get(call(), ask_slowly)

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert asked.count == 1
