import json
import time

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from kombu.exceptions import OperationalError

from embedded.servers import POSTGRES, VALKEY
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_broker():
    SERVERS.stop(VALKEY)
    yield
    SERVERS.start(VALKEY)


def test_a_process_that_answers_is_healthy(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readiness_needs_both_neighbours(client):
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "broker": "ok"}


def test_without_a_broker_we_still_serve(client, no_broker):
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "ok", "broker": "down"}


@pytest.mark.django_db(transaction=True)
def test_without_a_database_we_do_not(client):
    SERVERS.stop(POSTGRES)
    try:
        answer = client.get("/readyz")
    finally:
        SERVERS.start(POSTGRES)
        connection.close()

    assert answer.status_code == 503
    assert answer.json()["database"] == "down"


def test_a_bell_fails_within_a_second_when_the_broker_is_gone(no_broker):
    took_s = []
    for _ in range(5):
        begun = time.monotonic()
        with pytest.raises((OperationalError, OSError)):
            current_app.send_task("runs.advance", kwargs={"run_id": 1})
        took_s.append(time.monotonic() - begun)

    assert min(took_s) < 1  # of one the machine may have been slow


def test_a_bell_rings_again_as_soon_as_the_broker_is_back(broker):
    SERVERS.stop(VALKEY)
    with pytest.raises((OperationalError, OSError)):
        current_app.send_task("runs.advance", kwargs={"run_id": 1})
    SERVERS.start(VALKEY)

    current_app.send_task("runs.advance", kwargs={"run_id": 1})

    assert broker.llen("engine") == 1


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("runs.advance", "engine"),
        ("runs.submit_step", "engine"),
        ("runs.poll_step", "results"),
        ("runs.settle_step", "results"),
        ("runs.render_step", "media"),
        ("runs.drain", "drain"),
    ],
)
def test_every_task_has_its_queue(broker, task, queue):
    current_app.send_task(task)

    message = json.loads(broker.lindex(queue, 0))

    assert message["headers"]["task"] == task
    assert message["content-type"] == "application/json"


def test_a_wrong_address_of_the_api_is_a_problem_document_in_debug_too(settings):
    settings.DEBUG = True

    answer = Client().get("/api/nope")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "NOT_FOUND"


def test_the_schema_is_served_and_the_admin_asks_who_is_there(client):
    assert client.get("/api/schema").status_code == 200
    assert client.get("/admin/").status_code == 302
