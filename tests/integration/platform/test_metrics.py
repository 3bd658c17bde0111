"""What a monitor is told, and that nobody else is told it."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
import redis
from django.conf import settings as ours
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.api import places
from accounts.api.places import take_place
from accounts.caller import Caller
from core.ids import new_id
from embedded.servers import POSTGRES
from notifications.models import Delivery
from runs.models import Budget, Step
from tests.integration.admin.rows import make_cycle, make_run
from tests.integration.money import bury, pause
from tests.integration.people import make_user
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-monitor"
_SAMPLE = re.compile(r'(zaps_[a-z_]+(?:\{[a-z_]+="[^"\\\n]*"\})?) (\S+)')


@pytest.fixture(autouse=True)
def _token(settings):
    settings.ZAP_METRICS_TOKEN = TOKEN


@pytest.fixture(autouse=True)
def _empty_house(broker, monkeypatch):
    """No message, and no stream that another test has left open."""
    monkeypatch.setattr(places, "_TAKEN", {})


@pytest.fixture
def scrape(client):
    """The samples, as a monitor reads them."""

    def go():
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        lines = [line for line in answer.content.decode().splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (_SAMPLE.fullmatch(line).groups() for line in lines)}

    return go


def send_late(owner, seconds, **fields):
    """A delivery that should have gone so long ago."""
    due = timezone.now() - timedelta(seconds=seconds)
    Delivery.objects.create(owner=owner, event_id=new_id("evt"), type="run.done", data={}, due_at=due, **fields)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], f"{TOKEN}x", "ü"])
def test_another_token_opens_nothing(client, token):
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})

    assert (answer.status_code, answer.json()["code"]) == (401, "METRICS_TOKEN_REFUSED")


def test_the_token_counts_as_a_bearer_alone(client):
    assert client.get("/metrics", headers={"Authorization": f"Basic {TOKEN}"}).status_code == 401
    assert client.get(f"/metrics?token={TOKEN}").status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_without_a_token_it_is_open_in_debug_only(client, settings):
    settings.ZAP_METRICS_TOKEN = ""

    settings.DEBUG = False
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401
    settings.DEBUG = True
    assert client.get("/metrics").status_code == 200


def test_it_is_only_read(client):
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 405


def test_it_is_written_as_monitors_read_it(client):
    make_run()
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})

    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["Cache-Control"] == "no-store"
    text = answer.content.decode()
    assert text.endswith("\n")
    blocks = re.split(r"^(?=# HELP )", text, flags=re.MULTILINE)[1:]
    names = []
    for block in blocks:
        about, kind, *samples = block.splitlines()
        name = re.fullmatch(r"# HELP (zaps_[a-z_]+) \S.*", about)[1]
        assert kind == f"# TYPE {name} gauge"
        assert samples
        assert {re.match("[a-z_]+", sample)[0] for sample in samples} == {name}
        assert all(_SAMPLE.fullmatch(sample) for sample in samples)
        names.append(name)
    assert len(names) == len(set(names)) > 20


def test_an_empty_house_has_its_zeros(scrape):
    seen = scrape()

    for name in (
        'zaps_runs{status="queued"}',
        'zaps_runs{status="waiting"}',
        'zaps_runs_ended_last_hour{status="failed"}',
        'zaps_steps_waiting{reason="submission_unknown"}',
        'zaps_attempts_in_flight{provider="fal"}',
        'zaps_attempts_waiting{status="unknown"}',
        'zaps_queue_messages{queue="drain"}',
        'zaps_breakers{status="open"}',
        "zaps_due_lag_seconds",
        "zaps_dead_letters",
        "zaps_spent_today_usd",
        "zaps_deliveries_waiting",
        "zaps_deliveries_lag_seconds",
        "zaps_streams_open",
    ):
        assert seen[name] == 0, name
    assert "zaps_drain_age_seconds" not in seen
    assert "zaps_cap_today_usd" not in seen


def test_it_counts_the_work(scrape):
    make_run(status="running"), make_run(status="waiting", wait_reason="approval"), make_run(status="failed")
    make_run(status="done"), make_run(status="done")
    late = make_run(status="running")
    Step.objects.filter(run=late, step_id="film").update(wait_reason="budget")
    due = timezone.now() - timedelta(seconds=90)
    late.attempts.filter(finished_at=None).update(due_at=due)

    seen = scrape()

    assert (seen['zaps_runs{status="running"}'], seen['zaps_runs{status="waiting"}']) == (2, 1)
    assert seen['zaps_runs_ended_last_hour{status="done"}'] == 2
    assert seen['zaps_runs_ended_last_hour{status="failed"}'] == 1
    assert seen['zaps_steps_waiting{reason="budget"}'] == 1
    assert seen['zaps_attempts_in_flight{provider="mock"}'] == 3
    assert 90 <= seen["zaps_due_lag_seconds"] == seen["zaps_poll_lag_seconds"] < 120


def test_it_counts_money_and_machinery(scrape, settings, alice_watching):
    settings.ZAP_DAY_CAP_USD = Decimal(100)
    today = timezone.now().date()
    Budget.objects.create(key=f"day:{today}", day=today, spent_usd=Decimal("6.000001"), reserved_usd=1)
    Budget.objects.create(key=f"owner:1:{today}", owner=alice_watching, day=today, spent_usd=4)
    make_cycle(processed_count=7, error_count=2), make_cycle(status="failed", processed_count=0, error_count=1)
    send_late(alice_watching, 50), send_late(alice_watching, -50)
    send_late(alice_watching, 900, lease_until=timezone.now() + timedelta(minutes=1))

    seen = scrape()

    money = [seen[f"zaps_{name}_today_usd"] for name in ("spent", "reserved", "cap")]
    assert money == [6.000001, 1, 100]
    drain = [seen[f"zaps_drain_{name}"] for name in ("cycles", "failed_cycles", "processed", "errors")]
    assert drain == [2, 1, 7, 3]
    assert 0 <= seen["zaps_drain_age_seconds"] < 60
    assert seen["zaps_deliveries_waiting"] == 3
    assert 50 <= seen["zaps_deliveries_lag_seconds"] < 80
    assert seen["zaps_streams_open"] == 1


def test_it_counts_what_is_in_trouble(scrape):
    pause("fal", "fal-ai/flux"), pause("gmi", "veo3", status="half_open")
    bury(), bury()

    seen = scrape()

    assert (seen['zaps_breakers{status="open"}'], seen['zaps_breakers{status="half_open"}']) == (1, 1)
    assert seen["zaps_dead_letters"] == 2


@pytest.fixture
def alice_watching(db):
    """Alice, who has one stream open."""
    alice = make_user("alice")
    place = take_place(Caller(user=alice, principal_id="user:1"))
    yield alice
    place.leave()


def test_it_counts_what_no_worker_has_taken(scrape):
    with redis.from_url(ours.REDIS_URL) as broker:
        broker.rpush("media", "a", "b")
        try:
            assert scrape()['zaps_queue_messages{queue="media"}'] == 2
        finally:
            broker.delete("media")


def test_without_redis_the_rest_is_told(scrape, settings):
    make_run()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    seen = scrape()

    assert seen['zaps_metrics_read{part="queues"}'] == 0
    assert seen['zaps_metrics_read{part="runs"}'] == 1
    assert not [name for name in seen if name.startswith("zaps_queue")]
    assert seen['zaps_runs{status="running"}'] == 1


def test_a_part_that_takes_too_long_is_left_out(scrape, monkeypatch):
    monkeypatch.setattr("runs.figures._STEPS", "SELECT pg_sleep(5)::text, 1")

    seen = scrape()

    assert seen['zaps_metrics_read{part="steps"}'] == 0
    assert seen['zaps_metrics_read{part="runs"}'] == 1
    assert not [name for name in seen if name.startswith("zaps_steps")]


@pytest.mark.django_db(transaction=True)
def test_without_the_database_a_monitor_sees_that_it_is_down(client):
    SERVERS.stop(POSTGRES)
    try:
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    finally:
        SERVERS.start(POSTGRES)
        connection.close()

    assert (answer.status_code, answer.json()["code"]) == (503, "DATABASE_UNAVAILABLE")


def test_it_costs_nine_queries_however_much_there_is(scrape):
    def asked():
        with CaptureQueriesContext(connection) as seen:
            scrape()
        return sum(query["sql"].lstrip().upper().startswith("SELECT") for query in seen.captured_queries)

    make_run(), make_cycle(), pause(), bury()
    few = asked()
    for _ in range(3):
        make_run(), make_cycle(), bury()

    assert (few, asked()) == (9, 9)
