"""The operators' first page."""

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
import redis
from celery import current_app
from django.conf import settings as ours
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs import refusals
from runs.admin.dashboard.page import PARTS
from runs.admin.dashboard.page import read as read_tiles
from runs.models import Allowance, Budget, Run
from tests.factories import make_run as order_run
from tests.factories import planned
from tests.integration.admin.rows import make_cycle, make_run
from tests.integration.money import bury, pause

pytestmark = pytest.mark.django_db


def forget():
    cache.delete_many([part.key for part in PARTS])


@pytest.fixture(autouse=True)
def nothing_kept():
    forget()
    yield
    forget()


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


class Tiles(HTMLParser):
    """What the page says, tile by tile: `facts[title][name]` is (value, tone); `notes[title]`."""

    def __init__(self, page):
        super().__init__()
        self.facts, self.notes, self.bars = {}, {}, 0
        self._title = self._name = self._at = self._tone = None
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        classes = dict(attributes).get("class") or ""
        if tag == "section":
            self._title = "" if classes.startswith("zap-tile") else None
        if "zap-cycle" in classes:
            self.bars += 1
        if tag == "div" and dict(attributes).get("id") == "content-related":
            self._title = None
        if self._title is not None and tag in {"h3", "dt", "dd", "p"}:
            self._at, self._tone = tag, classes

    def handle_endtag(self, tag):
        if tag == self._at:
            self._at = None

    def handle_data(self, text):
        if self._at == "h3":
            self._title = text
            self.facts[text] = {}
        elif self._at == "dt":
            self._name = text
        elif self._at == "dd":
            self.facts[self._title][self._name] = (text, self._tone)
        elif self._at == "p":
            self.notes[self._title] = text


@pytest.fixture
def board(client, operator):
    def get():
        forget()
        return Tiles(client.get("/admin/").content.decode())

    return get


def late(run, seconds, **fields):
    """The run's open attempts should have been looked at so long ago."""
    due = timezone.now() - timedelta(seconds=seconds)
    assert run.attempts.filter(finished_at=None).update(due_at=due, **fields)


def test_an_empty_house_says_so(board):
    shown = board()

    assert shown.notes["In flight"] == "Nothing is at a provider."
    assert shown.notes["Open runs"] == "No run is open."
    assert shown.notes["Open breakers"] == "None: everything is submitted."
    assert shown.facts["Runs that failed"]["last day"] == ("none ended", "")
    assert shown.facts["Late"]["Oldest due"][0] == "nothing is late"
    assert shown.notes["Drain"].startswith("It has never run")


def test_it_shows_what_is_at_each_provider_and_what_waits(board):
    run = make_run(clips=8)  # five of them done, three at the provider
    step = run.steps.get(step_id="clip_8")
    step.attempts.update(status="unknown", provider="gmi", due_at=None)

    shown = board()

    assert shown.facts["In flight"] == {"mock": ("2", "zap-busy")}
    assert shown.facts["Attempts that wait here"]["of unknown fate"] == ("1", "zap-bad")
    assert shown.facts["Attempts that wait here"]["to be sent"] == ("0", "")


def test_it_says_how_late_the_latest_work_and_the_latest_poll_are(board):
    late(make_run(), 20)
    waiting = make_run()
    late(waiting, 90, status="settling")

    shown = board()

    assert re.fullmatch(r"2\d s", shown.facts["Late"]["Detection lag"][0])
    assert shown.facts["Late"]["Detection lag"][1] == "zap-care"
    assert shown.facts["Late"]["Oldest due"][0].startswith("1 min 3")
    assert shown.facts["Late"]["Oldest due"][1] == "zap-bad"


def test_what_somebody_is_looking_at_is_not_late(board):
    late(make_run(), 90, lease_until=timezone.now() + timedelta(seconds=30))

    assert board().facts["Late"]["Oldest due"][0] == "nothing is late"


def test_open_runs_are_told_apart_by_what_they_wait_for(board):
    make_run(status="running")
    make_run(status="waiting", wait_reason="approval")
    make_run(status="waiting", wait_reason="submission_unknown")
    make_run(status="done")

    assert board().facts["Open runs"] == {
        "running": ("1", ""),
        "waiting: approval": ("1", ""),
        "waiting: submission unknown": ("1", "zap-care"),
    }


def test_the_rate_of_failures_counts_what_ended_lately(board):
    for status in ("done", "done", "done", "failed", "canceled"):
        make_run(status=status)
    old, older = make_run(status="failed"), make_run(status="failed")
    Run.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(hours=2))
    Run.objects.filter(pk=older.pk).update(finished_at=timezone.now() - timedelta(hours=25))

    rates = board().facts["Runs that failed"]

    assert rates["last hour"] == ("25.0% (1 of 4)", "zap-bad")
    assert rates["last day"] == ("40.0% (2 of 5)", "zap-bad")


def test_spending_stands_against_the_caps_that_hold(board, settings):
    settings.ZAP_DAY_CAP_USD, settings.ZAP_OWNER_DAY_CAP_USD = Decimal(100), Decimal(5)
    today = timezone.now().date()
    people = get_user_model().objects
    alice, bob = people.create_user("alice"), people.create_user("bob")
    Allowance.objects.create(owner=bob, day_cap_usd=2)
    Budget.objects.create(key=f"day:{today}", day=today, spent_usd=6, reserved_usd=1)
    Budget.objects.create(key=f"owner:{alice.pk}:{today}", owner=alice, day=today, spent_usd=4)
    Budget.objects.create(key=f"owner:{bob.pk}:{today}", owner=bob, day=today, spent_usd=2)
    Budget.objects.create(key="day:2000-01-01", day="2000-01-01", spent_usd=99)

    assert board().facts["Spent today"] == {
        "everybody": ("$6.00 and $1.00 held, of $100.00", ""),
        "alice": ("$4.00, of $5.00", "zap-care"),
        "bob": ("$2.00, of $2.00", "zap-bad"),
    }


def test_the_cycles_of_the_drain_are_bars(board):
    for count in (0, 4, 9):
        make_cycle(processed_count=count)
    make_cycle(status="failed", processed_count=0, error_count=1)

    shown = board()
    facts = shown.facts["Drain: the newest 4 cycles"]

    assert shown.bars == 4
    assert (facts["dealt with"][0], facts["most in one"][0], facts["failed cycles"]) == ("13", "9", ("1", "zap-bad"))


def test_open_breakers_and_dead_letters_are_named(board):
    pause("fal", "fal-ai/flux")
    pause("gmi", "veo3", status="closed", opened_at=None, retry_at=None)
    bury()

    shown = board()

    assert list(shown.facts["Open breakers"]) == ["fal fal-ai/flux"]
    assert "The provider is busy or down." in shown.facts["Open breakers"]["fal fal-ai/flux"][0]
    assert shown.facts["Dead letters"] == {"failed steps": ("1", "zap-care")}


def test_messages_and_workers_are_counted(board):
    with redis.from_url(ours.REDIS_URL) as broker:
        broker.rpush("media", "a", "b")
        try:
            with current_app.connection_for_read() as heard:  # as a worker listens for remote control
                current_app.control.mailbox.Node("one@here", channel=heard.default_channel).listen()
                with suppress(TimeoutError):
                    heard.drain_events(timeout=0.2)
                shown = board()
        finally:
            broker.delete("media")

    assert shown.facts["Messages in the queues"]["media"] == ("2", "")
    assert shown.facts["Workers"]["listening now"] == ("1", "zap-good")
    assert board().notes["Workers"] == "Nobody works: start a Celery worker."


def test_refused_webhooks_are_counted_by_the_hour(time_machine):
    for hour in (9, 12):
        time_machine.move_to(datetime(2031, 5, 31, hour, tzinfo=UTC), tick=False)
        refusals.note()

    assert (refusals.count(hours=1), refusals.count(hours=24)) == (1, 2)


def test_every_part_costs_one_query_however_much_there_is(operator):
    def asked(part):
        with CaptureQueriesContext(connection) as seen:
            tiles = read_tiles([part])
        forget()
        assert not any(tile.is_unread for tile in tiles), part.title
        return sum("SELECT" in query["sql"].upper().split() for query in seen.captured_queries)

    make_run(owner=operator), make_cycle(), pause(), bury()
    few = {part.title: asked(part) for part in PARTS}
    for _ in range(3):
        make_run(owner=operator), make_cycle(), bury()

    assert {part.title: asked(part) for part in PARTS} == few
    assert set(few.values()) <= {0, 1}


def test_a_part_that_cannot_be_read_says_so_and_harms_no_other(board, settings):
    make_run(status="running")
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    shown = board()

    assert shown.notes["Queues and workers"] == "This cannot be read now."
    assert shown.facts["Open runs"] == {"running": ("1", "")}


def test_what_was_read_is_kept_for_a_while(client, operator, monkeypatch):
    monkeypatch.setattr("runs.admin.dashboard.page.KEPT_S", 3600)
    client.get("/admin/")
    make_run(status="running")

    assert "Open runs" in (page := client.get("/admin/").content.decode())
    assert Tiles(page).notes["Open runs"] == "No run is open."
    with CaptureQueriesContext(connection) as seen:
        client.get("/admin/")
    assert not [query for query in seen.captured_queries if "attempts" in query["sql"]]


def test_one_sees_only_what_one_may_look_at(client):
    watcher = get_user_model().objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename="view_run"))
    client.force_login(watcher)

    shown = Tiles(client.get("/admin/").content.decode())

    assert set(shown.facts) == {"Open runs", "Runs that failed"}


def test_who_is_not_staff_is_sent_to_the_login(client):
    assert client.get("/admin/").status_code == 302


def test_a_run_that_was_just_ordered_is_queued(board):
    order_run(planned("clip"))
    assert board().facts["Open runs"]["queued"][0] == "1"
