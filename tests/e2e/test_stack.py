"""The processes themselves: a mock run from the first message to the film, and a schedule that really rings."""

import json
import os
import signal

from django.apps import apps
from django.core.management import call_command
from django.test import Client

from runs.models import CronLog, Run
from tests.processes import is_alive, wait_until


def start_hello_film():
    call_command("load_recipes", verbosity=0)
    answer = Client().post("/api/zaps/run", {"slug": "hello-film", "mode": "mock"}, content_type="application/json")
    assert answer.status_code == 202, answer.content
    return json.loads(answer.content)["runId"]


def is_done(run_id):
    return Run.objects.filter(run_id=run_id, status="done").exists()


def test_a_mock_run_becomes_a_film_through_real_workers(stack, settings):
    settings.ZAP_OPEN_MODES = ["mock"]
    stack.start("worker")

    run_id = start_hello_film()

    wait_until(lambda: is_done(run_id))
    film = Client().get(f"/api/runs/{run_id}").json()["run"]["zapUrl"]
    assert film


def test_a_run_whose_messages_are_all_lost_is_found_by_the_drain(stack, settings, broker):
    settings.ZAP_OPEN_MODES = ["mock"]
    run_id = start_hello_film()
    broker.flushall()

    stack.start("worker", "drain", "beat")

    wait_until(lambda: is_done(run_id))


def test_beat_rings_for_the_drain_every_five_seconds_and_its_queue_is_the_drains_own(stack, broker):
    stack.start("beat")

    message = json.loads(wait_until(lambda: broker.lindex("drain", 0)))

    assert message["headers"]["task"] == "runs.drain"
    assert message["headers"]["expires"] is not None
    wait_until(lambda: broker.llen("drain") >= 2)


def test_a_cycle_of_the_drain_that_beat_asked_for_leaves_its_log(stack):
    stack.start("drain", "beat")

    wait_until(lambda: CronLog.objects.filter(status="success").exists())


def test_beat_obeys_an_operator_who_changes_the_rhythm(stack, broker):
    interval = apps.get_model("django_celery_beat", "IntervalSchedule").objects.create(every=1, period="seconds")
    task = apps.get_model("django_celery_beat", "PeriodicTask").objects.get(name="drain")
    stack.start("beat")
    wait_until(lambda: broker.llen("drain") >= 1)

    task.interval = interval
    task.save()

    wait_until(lambda: broker.llen("drain") >= 6, within_s=24)


def test_a_process_that_dies_is_started_again(stack):
    stack.start("worker")
    first = stack.pid("worker")

    os.kill(first, signal.SIGKILL)

    second = wait_until(lambda: (pid := stack.pid("worker")) not in (None, first) and pid)
    assert is_alive(second)
    assert not is_alive(first)


def test_a_process_that_was_killed_on_purpose_stays_dead_until_it_is_started(stack):
    stack.start("worker")
    first = stack.pid("worker")

    stack.kill("worker")

    assert stack.pid("worker") is None
    assert not is_alive(first)
    stack.start("worker")
    assert is_alive(stack.pid("worker"))
