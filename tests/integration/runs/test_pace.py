"""The beat of one account, kept in Redis by all processes, and by each for itself while Redis is away."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from core import hints
from core.ids import new_id
from runs import pace


@pytest.fixture
def account():
    return new_id("account")


@pytest.fixture
def without_redis(monkeypatch):
    def refuse(**_):
        raise redis.ConnectionError

    monkeypatch.setattr(pace, "_script", lambda: refuse)
    monkeypatch.setattr(pace, "_HEALTH", hints.Health("pace=own"))


def test_a_seconds_worth_goes_at_once_and_the_next_waits(account):
    granted, _ = pace.take(account, per_second=0.01, wanted=5)
    more, wait_s = pace.take(account, per_second=0.01)

    assert (granted, more) == (1, 0)
    assert 50 < wait_s <= 100


def test_part_of_a_batch_is_granted(account):
    granted, wait_s = pace.take(account, per_second=4, wanted=10)

    assert granted == 4
    assert 0.2 < wait_s <= 0.25


def test_threads_together_never_get_more_than_the_burst(account):
    with ThreadPoolExecutor(16) as threads:
        granted = sum(threads.map(lambda _: pace.take(account, per_second=0.01)[0], range(64)))

    assert granted == 1


def test_accounts_do_not_share_their_beat(account):
    pace.take(account, per_second=0.01)

    assert pace.take(f"{account}-other", per_second=0.01)[0] == 1


def test_without_redis_each_process_keeps_the_beat_for_itself(account, without_redis):
    assert pace.take(account, per_second=0.01, wanted=5)[0] == 1

    granted, wait_s = pace.take(account, per_second=0.01)

    assert granted == 0
    assert 50 < wait_s <= 100


def test_a_dead_redis_is_not_asked_again_at_once(account, without_redis, caplog):
    for _ in range(3):
        pace.take(account, per_second=100)

    assert len(caplog.records) == 1
