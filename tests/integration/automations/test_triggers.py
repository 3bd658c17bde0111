import logging

import pytest

from automations.models import Firing, Trigger
from config.logs import OneLine
from runs.models import Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client):
    """call(path, body, **headers) → status and body."""

    def go(path, body=None, **headers):
        answer = client.post(path, body or {}, content_type="application/json", headers=headers)
        return answer.status_code, answer.json()

    return go


@pytest.fixture
def trigger(call, recipe, as_alice):
    """What making one answered: whoever calls gives NAME."""
    status, made = call("/api/triggers", {"slug": recipe.slug, "allowedInputs": ["NAME"]}, **as_alice)
    assert status == 201, made
    return made


def fire(trigger):
    return f"/api/triggers/{trigger['token']}/fire"


def test_whoever_knows_the_address_starts_a_run_of_its_owners(call, trigger, alice):
    status, answer = call(fire(trigger), {"inputs": {"NAME": "Ada"}})

    run = Run.objects.get()
    assert (status, answer["runId"]) == (202, run.run_id)
    assert (run.owner, run.inputs, run.principal_id) == (alice, {"NAME": "Ada"}, f"trigger:{trigger['triggerId']}")
    assert Firing.objects.get().run == run


def test_a_call_that_is_repeated_with_its_key_starts_one_run(call, trigger):
    bodies = [call(fire(trigger), {"inputs": {"NAME": "Ada"}}, **{"Idempotency-Key": "k"}) for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert Run.objects.count() == 1


def test_an_input_that_its_owner_did_not_allow_is_refused(call, trigger):
    status, answer = call(fire(trigger), {"inputs": {"NAME": "Ada", "PHOTO": "https://example.com/a.png"}})

    assert (status, answer["errors"][0]["code"]) == (422, "INPUT_NOT_ALLOWED")
    assert not Run.objects.exists()


def test_a_rotated_and_a_revoked_token_are_told_as_one_that_never_was(call, client, trigger, as_alice):
    never = call(fire({"token": f"{trigger['triggerId']}_{'0' * 40}"}))
    _, rotated = call(f"/api/triggers/{trigger['triggerId']}/rotate", **as_alice)
    old = call(fire(trigger))
    client.delete(f"/api/triggers/{trigger['triggerId']}", headers=as_alice)

    assert never[0] == 404
    assert [old, call(fire(rotated))] == [never, never]
    assert trigger["token"] not in str(Trigger.objects.values().get())


def test_it_is_called_so_often_and_not_more(call, recipe, as_alice, broker):
    said = {"slug": recipe.slug, "inputs": {"NAME": "Ada"}, "perMinute": 1}
    _, made = call("/api/triggers", said, **as_alice)

    assert [call(fire(made))[0] for _ in range(2)] == [202, 429]


def test_a_live_trigger_needs_its_caps(call, recipe, as_alice):
    status, answer = call("/api/triggers", {"slug": recipe.slug, "allowedInputs": ["NAME"], "mode": "live"}, **as_alice)

    assert (status, answer["errors"][0]["code"]) == (422, "CAP_MISSING")


def test_its_address_is_left_out_of_the_log(trigger):
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Not Found: %s", (fire(trigger),), None)

    assert trigger["token"] not in OneLine().format(record)
