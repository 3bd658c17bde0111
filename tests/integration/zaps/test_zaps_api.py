from datetime import UTC, datetime

import pytest
from django.core.management import call_command

from tests.integration.people import bearer, make_user
from tests.integration.recipes import DOOR, door
from zaps.catalogue import Entry, publish
from zaps.models import Zap

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(client, as_alice):
    def post(path, body, headers=as_alice):
        return client.post(path, body, content_type="application/json", headers=headers)

    return post


def test_publishing_answers_with_the_row(send, alice):
    answer = send("/api/zaps/publish", {"source": DOOR, "visibility": "public", "tags": ["door"], "title": "The door"})

    body = answer.json()
    assert answer.status_code == 201
    assert {name: body[name] for name in ("slug", "status", "version", "visibility", "title", "tags", "authorId")} == {
        "slug": "blue-door",
        "status": "published",
        "version": 1,
        "visibility": "public",
        "title": "The door",
        "tags": ["door"],
        "authorId": str(alice.pk),
    }
    assert (body["estimateUsd"], body["capUsd"], body["providers"]) == (0.0, 5.0, ["mock"])
    assert [(one["name"], one["type"], one["required"]) for one in body["inputs"]] == [
        ("NAME", "string", True),
        ("PHOTO", "image", False),
    ]
    assert body["finalizedBy"] == f"user:{alice.pk}"
    assert send("/api/zaps/publish", {"source": DOOR}).status_code == 200


def test_a_draft_is_kept_and_not_published(client, send):
    answer = send("/api/zaps/publish", {"zapMd": DOOR, "status": "draft", "visibility": "public"})

    assert (answer.status_code, answer.json()["status"], answer.json()["version"]) == (201, "draft", 0)
    assert client.get("/api/zaps").json()["zaps"] == []


def test_only_known_callers_with_the_scope_publish(send, alice):
    anonymous = send("/api/zaps/publish", {"source": DOOR}, headers={})
    reader = send("/api/zaps/publish", {"source": DOOR}, headers=bearer(alice, ["read"]))

    assert (anonymous.status_code, reader.status_code) == (401, 403)
    assert not Zap.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"source": "no recipe"}, 422, "RECIPE_INVALID"),
        ({}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "zapMd": DOOR}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "slug": "another"}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "status": "live"}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "visibility": "secret"}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "tags": ["x" * 41]}, 422, "INVALID_REQUEST"),
        ({"source": DOOR, "authorId": "1"}, 422, "INVALID_REQUEST"),
        ({"source": door(slug="runs")}, 409, "SLUG_TAKEN"),
    ],
)
def test_a_bad_publish_leaves_no_row(send, body, status, code):
    answer = send("/api/zaps/publish", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert not Zap.objects.exists()


def test_a_recipe_is_shown_with_its_text(client, send):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public"})

    body = client.get("/api/zaps/blue-door").json()

    assert (body["source"], body["prompts"], body["version"]) == (DOOR, {}, 1)
    assert len(body["contentHash"]) == 64


def test_an_older_version_is_shown_when_asked_for(client, send):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public"})
    send("/api/zaps/publish", {"source": door(description="Newer.")})

    assert client.get("/api/zaps/blue-door?version=1").json()["source"] == DOOR
    assert client.get("/api/zaps/blue-door?version=9").status_code == 404
    assert client.get("/api/zaps/blue-door?version=x").status_code == 422


def test_a_draft_over_a_published_recipe_is_shown_to_its_author_and_staff_alone(client, send, as_alice, as_bob):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public"})
    later = door(description="A door opens slowly.")
    send("/api/zaps/publish", {"source": later, "status": "draft"})
    path = "/api/zaps/blue-door"

    drafts = [
        client.get(f"{path}?draft=true", headers=who).json()
        for who in (as_alice, bearer(make_user("staff", staff=True)))
    ]

    assert [(one["source"], one["version"]) for one in drafts] == [(later, 0)] * 2
    assert client.get(path, headers=as_alice).json()["source"] == DOOR
    assert [client.get(f"{path}?draft=true", headers=who).status_code for who in (as_bob, {})] == [404, 404]


def test_without_a_draft_the_newest_text_is_the_published_one(client, send, as_alice):
    send("/api/zaps/publish", {"source": DOOR})

    body = client.get("/api/zaps/blue-door?draft=true", headers=as_alice).json()

    assert (body["source"], body["version"]) == (DOOR, 1)


@pytest.mark.parametrize("query", ["draft=yes", "draft=true&version=1"])
def test_a_draft_that_cannot_be_meant_is_refused(client, send, as_alice, query):
    send("/api/zaps/publish", {"source": DOOR})

    assert client.get(f"/api/zaps/blue-door?{query}", headers=as_alice).status_code == 422


def test_a_private_recipe_is_not_found_by_strangers(client, send, as_alice):
    send("/api/zaps/publish", {"source": DOOR})

    assert client.get("/api/zaps/blue-door").status_code == 404
    assert client.get("/api/zaps/blue-door", headers=bearer(make_user("bob"))).status_code == 404
    assert client.get("/api/zaps/blue-door", headers=as_alice).status_code == 200


def test_the_list_is_searched_and_paged(client, alice, django_assert_num_queries):
    for number in range(5):
        publish(Entry(source=door(slug=f"door-{number}"), visibility="public"), author=alice)

    with django_assert_num_queries(1):
        first = client.get("/api/zaps?query=Door&limit=3").json()
    second = client.get(f"/api/zaps?query=Door&limit=3&cursor={first['nextCursor']}").json()

    assert [zap["slug"] for zap in first["zaps"] + second["zaps"]] == [f"door-{number}" for number in range(5)]
    assert (first["query"], second["nextCursor"]) == ("Door", None)
    assert "source" not in first["zaps"][0]


HALF_A_PAIR = "WyJcdWQ4MDAiXQ"  # ["\\ud800"]


@pytest.mark.parametrize("query", ["query=%00", "query=" + "x" * 201, f"cursor={HALF_A_PAIR}"])
def test_a_query_that_is_none_is_refused(client, query):
    assert client.get(f"/api/zaps?{query}").status_code == 422


def test_validating_says_what_a_good_recipe_asks_for(send):
    body = send("/api/zaps/validate", {"source": DOOR}, headers={}).json()

    assert (body["ok"], body["errors"], body["slug"], body["steps"], body["capUsd"]) == (True, [], "blue-door", 3, 5.0)
    assert not Zap.objects.exists()


def test_validating_names_every_problem_with_its_place(send):
    bad = DOOR.replace("kind: stitch", "kind: stich").replace("inputs: [door], duration_s: 5", "inputs: [dor]")

    answer = send("/api/zaps/validate", {"source": bad}, headers={})

    errors = answer.json()["errors"]
    assert (answer.status_code, answer.json()["ok"]) == (200, False)
    assert len(errors) >= 2
    assert all(set(error) == {"code", "message", "line", "column", "path"} for error in errors)
    assert {12, 13} <= {error["line"] for error in errors}


def test_a_plan_by_slug_shows_its_steps(client, send, as_alice):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public"})

    answer = send("/api/zaps/blue-door/plan", {"inputs": {"NAME": "Ada"}})

    assert answer.status_code == 200
    assert (answer.json()["version"], [step["stepId"] for step in answer.json()["steps"]]) == (
        1,
        ["door", "opens", "film"],
    )
    assert send("/api/zaps/no-such/plan", {}).status_code == 404
    assert send("/api/zaps/blue-door/plan", {"inputs": {"NAME": "Ada"}}, headers={}).status_code == 401


def test_the_command_loads_the_bundled_recipes(capsys):
    call_command("load_recipes")
    call_command("load_recipes")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("loaded: ")
    assert lines[1] == "nothing new"


def test_a_recipe_that_the_caller_has_is_not_sent_again_until_it_changes(client, send, as_alice):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public"})
    first = client.get("/api/zaps/blue-door")
    known = {"If-None-Match": first["ETag"]}

    again = client.get("/api/zaps/blue-door", headers=known)
    send("/api/zaps/publish", {"source": DOOR, "title": "Another title"})

    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/api/zaps/blue-door", headers=known).json()["title"] == "Another title"


def test_a_list_of_recipes_is_narrowed(client, send, as_alice, as_bob):
    send("/api/zaps/publish", {"source": DOOR, "visibility": "public", "tags": ["door", "blue"]})
    Zap.objects.update(updated_at=datetime(2026, 5, 1, 12, tzinfo=UTC))

    def count(query, headers=as_alice):
        return len(client.get(f"/api/zaps?{query}", headers=headers).json()["zaps"])

    assert [count("tag=blue"), count("tag=blu"), count("tag=door&query=door")] == [1, 0, 1]
    assert [count("mine=true"), count("mine=true", as_bob), count("mine=true", {}), count("mine=false", {})] == [
        1, 0, 0, 1,
    ]  # fmt: skip
    assert [count("status=published"), count("status=draft")] == [1, 0]
    assert [count("since=1777636800000"), count("since=1777636800001")] == [1, 0]


@pytest.mark.parametrize("query", ["tag=%00", "mine=yes", "status=gone", "since=x"])
def test_what_narrows_no_list_of_recipes_is_named(client, db, query):
    answer = client.get(f"/api/zaps?{query}")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == query.partition("=")[0]
