"""What other rooms put on the operators' first page."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automations.models import Batch, Firing, Schedule
from notifications.models import Delivery, Endpoint
from runs.admin.dashboard import tiles
from runs.admin.dashboard.page import PARTS, read

pytestmark = pytest.mark.django_db
ORDER = {"made_by": "user:1", "slug": "lighthouse-film", "mode": "mock"}


@pytest.fixture
def facts():
    """facts(title) → what the tile says: name → (value, tone, address)."""
    ours = {part.title: part for part in PARTS}

    def get(title):
        cache.delete(ours[title].key)
        (tile,) = read([ours[title]])
        cache.delete(ours[title].key)
        assert not tile.is_unread
        return {fact.name: (fact.value, fact.tone, fact.url) for fact in tile.facts}

    return get


def deliver(owner, **fields):
    number = Delivery.objects.count()
    return Delivery.objects.create(owner=owner, event_id=f"evt_{number}", type="run.done", data={}, **fields)


def give_up(owner, *, at):
    return deliver(owner, status="failed", due_at=None, ended_at=at, tries=9)


@pytest.fixture
def schedule(alice):
    return Schedule.objects.create(
        schedule_id="schedule_1", owner=alice, every_s=60, since=timezone.now(), next_at=timezone.now(), **ORDER
    )


@pytest.fixture
def batch(alice):
    return Batch.objects.create(
        batch_id="batch_1", owner=alice, row_count=1, quote_usd=0, most_usd=0, cap_usd=Decimal(1), **ORDER
    )


def test_an_empty_outbox_says_so(facts):
    shown = facts("Webhooks and mails")

    assert shown["oldest"] == ("nothing waits", "", "")
    assert shown["waiting"] == ("0", "", "/admin/notifications/delivery/?status=waiting")


def test_it_shows_what_waits_to_go_out_since_when_and_what_was_given_up(facts, alice):
    now = timezone.now()
    deliver(alice), deliver(alice, tries=2, happened_at=now - timedelta(hours=7))
    deliver(alice, status="delivered", due_at=None, ended_at=now, happened_at=now - timedelta(days=1))
    give_up(alice, at=now), give_up(alice, at=now - timedelta(hours=25))
    Endpoint.objects.create(owner=alice, hook_id="hook_1", url="u", events=[], is_on=False, off_reason="failing")
    Endpoint.objects.create(owner=alice, hook_id="hook_2", url="u", events=[], is_on=False, off_reason="owner")

    shown = facts("Webhooks and mails")

    assert shown["waiting"][0] == "2"
    assert shown["of these tried in vain"][:2] == ("1", "care")
    assert shown["oldest"][:2] == ("7 h 00 min", "bad")
    assert shown["given up, last day"] == ("1", "care", "/admin/notifications/delivery/?status=failed")
    assert shown["receivers turned off for failing"][0] == "1"


def test_it_shows_what_was_not_begun_by_itself(facts, schedule, batch):
    now = timezone.now()
    for status, ended_at in (("failed", now), ("refused", now), ("refused", now), ("refused", now - timedelta(days=2))):
        Firing.objects.create(batch=batch, number=Firing.objects.count(), status=status, ended_at=ended_at)
    Firing.objects.create(schedule=schedule, status="missed", ended_at=now)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=now - timedelta(minutes=5))
    Batch.objects.filter(pk=batch.pk).update(reason="ORDER_SPEND_CAP")

    shown = facts("Begun by themselves")

    assert [shown[f"{word}, last day"][0] for word in ("failed", "refused", "missed")] == ["1", "2", "1"]
    assert shown["refused, last day"][1:] == ("care", "/admin/automations/firing/?status=refused")
    assert shown["latest schedule"][0].startswith("5 min 0")
    assert shown["latest schedule"][1] == "bad"
    assert shown["batches held up"][0] == "1"


def test_schedules_are_told_apart_by_who_paused_them(facts, schedule):
    Schedule.objects.filter(pk=schedule.pk).update(status="paused", reason="PAUSED_BY_OWNER", next_at=None)
    before = facts("Begun by themselves")
    Schedule.objects.filter(pk=schedule.pk).update(reason="FAILED_TOO_OFTEN")
    after = facts("Begun by themselves")

    assert before["schedules that failed too often"][:2] == ("0", "")
    assert after["schedules that failed too often"][:2] == ("1", "care")
    assert after["latest schedule"][:2] == ("nothing is late", "")


def test_a_canceled_batch_is_not_held_up(facts, batch):
    Batch.objects.filter(pk=batch.pk).update(status="canceling", reason="CANCELED_WITH_BATCH")

    assert facts("Begun by themselves")["batches held up"][0] == "0"


def test_a_great_many_are_not_counted_to_the_end(facts, alice, monkeypatch):
    monkeypatch.setattr(tiles, "MOST", 2)
    monkeypatch.setattr("notifications.admin.dashboard.MOST", 2)
    for _ in range(4):
        deliver(alice)

    with CaptureQueriesContext(connection) as seen:
        shown = facts("Webhooks and mails")

    assert shown["waiting"][0] == "more than 2"
    assert sum("FROM deliveries" in one["sql"] for one in seen.captured_queries) == 1
