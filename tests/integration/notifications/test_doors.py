import json

import pytest

from accounts.vault import rotation
from accounts.vault.cipher import new_key
from notifications.models import Delivery, Endpoint
from tests.integration.notifications.ways import finish, let_pass, only
from tests.integration.people import bearer

pytestmark = pytest.mark.django_db(transaction=True)

HOOKS = "/api/webhooks"


@pytest.fixture
def ask(client):
    def send(method, path, body=None, **headers):
        answer = client.generic(method, path, json.dumps(body or {}), content_type="application/json", headers=headers)
        return answer.status_code, (answer.json() if answer.content else None)

    return send


def test_a_receiver_is_made_seen_changed_and_removed(ask, as_alice, receiver):
    status, made = ask("POST", HOOKS, {"url": receiver.url, "events": ["run.done"]}, **as_alice)
    path = f"{HOOKS}/{made['hookId']}"

    assert status == 201
    assert made["secret"].startswith("whsec_")
    assert ask("GET", path, **as_alice)[1]["events"] == ["run.done"]
    changed = ask("PATCH", path, {"events": [], "description": "mine", "isOn": False}, **as_alice)[1]
    assert (changed["isOn"], changed["offReason"], changed["description"]) == (False, "owner", "mine")
    assert len(changed["events"]) == 5
    assert ask("PATCH", path, {"isOn": True}, **as_alice)[1]["isOn"]
    assert ask("DELETE", path, **as_alice)[0] == 204
    assert ask("GET", HOOKS, **as_alice)[1]["webhooks"] == []


def test_a_secret_is_shown_once_and_kept_encrypted(ask, as_alice, receiver):
    plain = ask("POST", HOOKS, {"url": receiver.url}, **as_alice)[1]["secret"]

    seen = json.dumps([ask("GET", HOOKS, **as_alice)[1], str(Endpoint.objects.values().get())])
    assert plain not in seen
    assert plain.removeprefix("whsec_") not in seen


def test_others_see_and_change_nothing(ask, hook, as_bob):
    path = f"{HOOKS}/{hook.hook_id}"
    doors = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/test"), ("POST", "/rotate"), ("GET", "/deliveries")]

    assert {ask(method, path + end, **as_bob)[0] for method, end in doors} == {404}
    assert ask("GET", HOOKS, **as_bob)[1]["webhooks"] == []


def test_a_key_that_may_only_read_changes_nothing(ask, alice, hook, receiver):
    reader = bearer(alice, ["read"])

    assert ask("GET", f"{HOOKS}/{hook.hook_id}", **reader)[0] == 200
    assert ask("POST", HOOKS, {"url": receiver.url}, **reader)[0] == 403
    assert ask("POST", f"{HOOKS}/{hook.hook_id}/rotate", **reader)[0] == 403
    assert ask("PUT", "/api/notifications", {"mailOn": []}, **reader)[0] == 403


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/", "https://127.0.0.1/", "https://169.254.169.254/latest", "https://localhost/x",
        "https://hooks.example.com:8443/", "https://u:p@hooks.example.com/", "ftp://hooks.example.com/", "no address",
        "https://[::1]/", "https://0x7f000001/", "https://hooks.internal/", "",
    ],
)  # fmt: skip
def test_an_address_that_nothing_is_sent_to_is_refused(ask, as_alice, url):
    status, told = ask("POST", HOOKS, {"url": url}, **as_alice)

    assert status == 422
    assert told["errors"][0]["path"] == "url"
    assert Endpoint.objects.count() == 0


def test_an_owner_has_ten_at_most(ask, as_alice, receiver):
    made = [ask("POST", HOOKS, {"url": receiver.url}, **as_alice)[0] for _ in range(11)]

    assert made == [201] * 10 + [409]


def test_a_test_is_sent_at_once_and_not_again(ask, as_alice, hook, receiver, told):
    receiver.says = [200, 500]
    path = f"{HOOKS}/{hook.hook_id}/test"

    first, second = ask("POST", path, **as_alice)[1], ask("POST", path, **as_alice)[1]

    assert (first["status"], first["tries"][0]["code"]) == ("delivered", "DELIVERED")
    assert (second["status"], second["tries"][0]["status"]) == ("failed", 500)
    assert receiver.messages[0].verified_by(hook.plain)["type"] == "webhook.test"
    let_pass(3600)
    assert told() == 0


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(ask, as_alice, alice, bells, hook, receiver, told):
    new = ask("POST", f"{HOOKS}/{hook.hook_id}/rotate", **as_alice)[1]["secret"]
    only(hook, "run.done")
    finish(bells, alice), told()
    let_pass(25 * 3600)
    finish(bells, alice), told()

    during, after = receiver.messages
    assert during.verified_by(new)
    assert during.verified_by(hook.plain)
    assert len(during.headers["webhook-signature"].split()) == 2
    assert len(after.headers["webhook-signature"].split()) == 1
    assert after.verified_by(new)


def test_deliveries_are_listed_and_one_is_sent_again_under_its_id(ask, as_alice, alice, bells, hook, receiver, told):
    finish(bells, alice), told(), told()
    path = f"{HOOKS}/{hook.hook_id}/deliveries"

    page = ask("GET", f"{path}?limit=1", **as_alice)[1]
    rest = ask("GET", f"{path}?cursor={page['nextCursor']}", **as_alice)[1]
    done = page["deliveries"][0]
    assert [done["type"], rest["deliveries"][0]["type"]] == ["run.done", "run.started"]
    assert done["tries"][0].keys() == {"at", "status", "ms", "code"}

    assert ask("POST", f"{path}/{done['eventId']}/resend", **as_alice)[0] == 202
    assert ask("POST", f"{path}/{done['eventId']}/resend", **as_alice)[1]["code"] == "DELIVERY_OPEN"
    told()
    assert [message.id for message in receiver.messages].count(done["eventId"]) == 2


def test_nothing_is_sent_again_to_a_receiver_that_is_off(ask, as_alice, alice, bells, hook, told):
    finish(bells, alice), told()
    path = f"{HOOKS}/{hook.hook_id}"
    ask("PATCH", path, {"isOn": False}, **as_alice)
    event = Delivery.objects.first().event_id

    assert ask("POST", f"{path}/deliveries/{event}/resend", **as_alice)[1]["code"] == "WEBHOOK_OFF"


def test_secrets_are_rotated_with_the_vault_s(ask, as_alice, hook, receiver, settings):
    fresh = new_key()
    settings.ZAP_SECRET_KEYS = [fresh, *settings.ZAP_SECRET_KEYS]

    rotated = rotation.rotate_all()
    settings.ZAP_SECRET_KEYS = [fresh]

    assert (rotated.count, rotated.unreadable) == (1, ())
    ask("POST", f"{HOOKS}/{hook.hook_id}/test", **as_alice)
    assert receiver.messages[0].verified_by(hook.plain)
