"""How the pages ask the interface: as the visitor, with the visitor's proof that the form was ours."""

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import AsyncRequestFactory

from tests.integration.people import bearer
from web.ask import read, send, weigh

pytestmark = pytest.mark.django_db
TOKEN = "a" * 32
ORDER = {"slug": "blue-door", "inputs": {"NAME": "Ada"}}


@pytest.fixture
def pressed(alice):
    """A form that Alice sent to the ASGI server over https."""

    def press(token=TOKEN, origin="https://testserver"):
        factory, headers = AsyncRequestFactory(), {"origin": origin}
        factory.cookies["csrftoken"] = TOKEN
        form = {"csrfmiddlewaretoken": token}
        request = factory.post("/zaps/blue-door/run", form, secure=True, headers=headers)
        request.session, request.user = SessionStore(), alice
        return request

    return press


def test_a_form_of_ours_over_https_does_what_it_says(pressed, blue_door):
    assert send(pressed(), "/api/zaps/run", ORDER).status == 202


@pytest.mark.parametrize("forged", [{"token": "b" * 32}, {"token": ""}, {"origin": "https://elsewhere.example"}])
def test_a_forged_form_is_refused_by_the_interface_too(forged, pressed, blue_door):
    assert send(pressed(**forged), "/api/zaps/run", ORDER).status == 403


def test_the_same_key_is_carried_out_once(pressed, blue_door):
    first, second = (send(pressed(), "/api/zaps/run", ORDER, key="k-1").body["runId"] for _ in range(2))

    assert first == second


def test_a_question_needs_no_proof_and_a_reading_has_its_query(pressed, blue_door):
    assert weigh(pressed(token=""), "/api/zaps/blue-door/plan", {"inputs": {"NAME": "Ada"}}).body["status"] == "planned"
    assert read(pressed(), "/api/zaps", query="nothing like it", cursor="").body["zaps"] == []


def test_a_page_counts_as_one_call_whatever_it_asks(as_alice, blue_door, settings):
    settings.ZAP_CALLS_PER_MINUTE = 2

    assert [as_alice.client.get("/zaps/blue-door").status_code for _ in range(3)] == [200, 200, 429]


def test_nobody_can_say_of_a_call_that_it_was_counted(alice, client, settings):
    settings.ZAP_CALLS_PER_MINUTE = 1
    headers = {**bearer(alice), "Zaps.part_of_a_page": "1", "Zaps-Part-Of-A-Page": "1"}

    assert [client.get("/api/session", headers=headers).status_code for _ in range(2)] == [200, 429]
