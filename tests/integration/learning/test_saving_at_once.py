"""Two hands on the same button."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from runs.learning.compiling import compile_and_save
from tests.integration.learning.rows import end, order_run
from tests.integration.people import make_user
from tests.integration.recipes import DOOR
from zaps.models import Zap

pytestmark = pytest.mark.django_db(transaction=True)


def save(run, author):
    try:
        return compile_and_save(run, author).zap.slug
    finally:
        connection.close()


def test_of_two_who_save_one_run_at_once_both_get_the_same_draft():
    alice = make_user("alice")
    run = end(order_run(DOOR, alice, mode="mock", inputs={"NAME": "Ada"}))

    with ThreadPoolExecutor(4) as pool:
        slugs = set(pool.map(lambda _: save(run, alice), range(4)))

    assert slugs == {"blue-door-2"}
    assert Zap.objects.count() == 1


def test_runs_that_are_saved_at_once_each_get_a_draft_of_their_own():
    people = [make_user(name) for name in ("alice", "bob")]
    runs = [end(order_run(DOOR, one, mode="mock", inputs={"NAME": "Ada"})) for one in people * 2]

    with ThreadPoolExecutor(4) as pool:
        slugs = set(pool.map(save, runs, [run.owner for run in runs]))

    assert slugs == {"blue-door-2", "blue-door-3", "blue-door-4", "blue-door-5"}
    assert set(Zap.objects.values_list("compiled_from_run_id", flat=True)) == {run.run_id for run in runs}
