import subprocess
import sys
import threading

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from config.local import BASE_DIR
from core import notices
from core.notices import Herald, Notice

numbers = st.integers(min_value=0, max_value=2**63 - 1)
NEWS = [Notice(1, 7, 3), Notice(2, 0, 1)]


@given(st.lists(st.builds(Notice, numbers, numbers, numbers)))
def test_what_is_written_is_read(said):
    assert notices.read(notices.write(said)) == said


@given(st.binary())
def test_nonsense_is_read_as_nothing_or_as_numbers(message):
    assert all(min(one.key, one.group, one.number) >= 0 for one in notices.read(message))


@pytest.mark.parametrize("message", [b"", b"1.2", b"1.2.x", b"1.2.3.4", b"-1.2.3", b"1..3", b"1.2." + b"9" * 20])
def test_what_is_no_notice_is_left_out(message):
    assert notices.read(message + b" 1.7.3") == [Notice(1, 7, 3)] or message == b""
    assert notices.read(message) == []


class Ether:
    """What Redis is told; `is_away` is Redis that does not answer."""

    def __init__(self):
        self.is_away = False
        self.heard, self.failed = [], 0
        self.changed = threading.Condition()

    def publish(self, said):
        with self.changed:
            self.changed.notify_all()
            if self.is_away:
                self.failed += 1
                raise redis.ConnectionError
            self.heard += said

    def wait_for(self, ready):
        with self.changed:
            assert self.changed.wait_for(ready, timeout=10)


@pytest.fixture
def ether():
    return Ether()


@pytest.fixture
def herald(ether, monkeypatch):
    monkeypatch.setattr(notices, "_AGAIN_S", 0.01)
    monkeypatch.setattr(notices.atexit, "register", lambda last: None)
    herald = Herald("test")
    herald._publish = ether.publish
    return herald


def test_a_notice_is_said_soon(herald, ether):
    herald.say(NEWS)

    ether.wait_for(lambda: ether.heard == NEWS)


def test_of_a_thing_that_changes_often_the_newest_number_is_said(herald, ether):
    ether.is_away = True
    for number in (1, 2, 5, 4):
        herald.say([Notice(1, 7, number)])
    ether.is_away = False

    ether.wait_for(lambda: ether.heard)
    assert ether.heard[-1] == Notice(1, 7, 5)


def test_what_could_not_be_said_is_said_later_and_told_of_once_in_the_log(herald, ether, caplog):
    ether.is_away = True
    herald.say(NEWS)
    ether.wait_for(lambda: ether.failed > 2)
    ether.is_away = False

    ether.wait_for(lambda: ether.heard)
    assert sorted(ether.heard, key=lambda one: one.key) == NEWS
    assert [record.message for record in caplog.records] == ["notices=unheard channel=test error=ConnectionError"]


def test_it_does_not_keep_more_than_it_should(herald, ether, monkeypatch):
    monkeypatch.setattr(notices, "_MOST", 2)
    ether.is_away = True
    herald.say(NEWS)
    ether.wait_for(lambda: ether.failed > 1)

    assert herald._news == {}


ENDS = """
import threading, time
from core.notices import Herald, Notice

herald, begun = Herald("test"), threading.Event()

def publish(said):
    if said:
        begun.set()
        time.sleep(0.3)
        print("said", len(said))

herald._publish = publish
herald.say([Notice(1, 7, 3)])
begun.wait()
"""


def test_a_process_that_ends_in_the_middle_of_it_says_its_last_word():
    assert subprocess.check_output([sys.executable, "-c", ENDS], cwd=BASE_DIR, text=True, timeout=60) == "said 1\n"
