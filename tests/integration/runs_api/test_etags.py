"""A caller who has the newest snapshot is told so by one small read."""

import pytest

from runs.control import give_feedback
from tests.factories import make_run, planned
from tests.integration.people import bearer

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(alice):
    return make_run(planned("door"), owner=alice)


@pytest.fixture
def read(client, run, as_alice):
    def ask(known=None, headers=as_alice, query=""):
        return client.get(
            f"/api/runs/{run.run_id}{query}", headers={**headers, **({"If-None-Match": known} if known else {})}
        )

    return ask


def test_a_snapshot_that_the_caller_has_is_not_sent_again(read):
    first = read()
    again = read(first["ETag"])

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert again["ETag"] == first["ETag"]
    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"
    assert {"Authorization", "Cookie"} <= {word.strip() for word in again["Vary"].split(",")}


def test_a_change_is_sent(read, run):
    old = read()["ETag"]

    give_feedback(run.run_id, actor="user:1", vote="up")

    assert read(old).status_code == 200
    assert read(old)["ETag"] != old


@pytest.mark.parametrize("known", ['"0", {}', '{}, W/"9"', "*"])
def test_one_of_several_tags_is_enough(read, known):
    assert read(known.format(read()["ETag"])).status_code == 304


@pytest.mark.parametrize("known", ["nonsense", '"0"', 'W/"x', ""])
def test_a_tag_that_is_not_ours_is_no_hindrance(read, known):
    assert read(known).status_code == 200


def test_who_is_shown_less_has_another_tag(read, post, run, as_alice):
    url = post(f"/api/runs/{run.run_id}/share", **as_alice).json()["url"]
    query = url[url.index("?") :]

    shared = read(headers={}, query=query)

    assert shared["ETag"] != read()["ETag"]
    assert read(shared["ETag"], headers={}, query=query).status_code == 304
    assert read(shared["ETag"]).status_code == 200


def test_a_tag_opens_nothing(read, as_bob):
    tag = read()["ETag"]

    assert [read(tag, headers=who).status_code for who in (as_bob, {})] == [404, 404]
    assert read("*", headers=as_bob).status_code == 404


def test_to_say_that_nothing_changed_takes_two_questions(read, django_assert_num_queries):
    tag = read()["ETag"]

    with django_assert_num_queries(2):  # token, run
        assert read(tag).status_code == 304


def test_staff_see_what_the_owner_sees_and_share_its_tag(read, as_staff):
    assert read(read()["ETag"], headers=as_staff).status_code == 304


def test_a_key_without_the_scope_is_refused_whatever_it_has(read, alice):
    assert read("*", headers=bearer(alice, ["run"])).status_code == 403
