import json

import pytest
from django.urls import reverse

from accounts.tokens import create_token
from cli.__main__ import main
from notifications.models import Delivery, Endpoint
from tests.integration.notifications.ways import finish, let_pass

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def zap(capsys, live_server, monkeypatch, alice):
    """zap("list") → its exit code, and what it printed."""
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(alice, "laptop")[1])

    def call(*words):
        code = main(["webhooks", *words])
        return code, capsys.readouterr().out.strip()

    return call


def test_a_webhook_is_added_tried_followed_and_removed_from_the_command_line(zap, receiver):
    secret = zap("add", receiver.url, "--event", "run.done", "--description", "mine")[1]
    hook = Endpoint.objects.get().hook_id

    assert secret.startswith("whsec_")
    assert zap("list")[1].splitlines()[1].split() == [hook, "on", "run.done", receiver.url, "mine"]
    assert zap("test", hook)[1].startswith("DELIVERED 200")
    receiver.says = [500]
    assert zap("test", hook)[0] == 1
    assert [one["status"] for one in json.loads(zap("deliveries", hook, "--json")[1])["deliveries"]] == [
        "failed",
        "delivered",
    ]
    assert zap("rotate", hook)[1].startswith("whsec_")
    assert zap("remove", hook)[0] == 0
    assert Endpoint.objects.count() == 0


def test_operators_see_what_was_told_and_send_it_again(admin_client, alice, bells, hook, receiver, told):
    finish(bells, alice), told(), told()
    done = Delivery.objects.first()
    listed = reverse("admin:notifications_delivery_changelist")

    page = admin_client.get(listed, {"q": done.event_id}).content.decode()
    admin_client.post(listed, {"action": "resend", "_selected_action": [done.pk]})
    told()

    assert done.event_id in page
    assert admin_client.get(reverse("admin:notifications_delivery_change", args=[done.pk])).status_code == 200
    assert [message.id for message in receiver.messages].count(done.event_id) == 2


def test_operators_turn_a_receiver_off(admin_client, alice, bells, hook, receiver, told):
    receiver.says = [500]
    finish(bells, alice), told()
    listed = reverse("admin:notifications_endpoint_changelist")

    admin_client.post(listed, {"action": "turn_off", "_selected_action": [hook.pk]})

    hook.refresh_from_db()
    assert (hook.is_on, hook.off_reason) == (False, "operator")
    let_pass(60)
    assert told() == 0
    assert hook.hook_id in admin_client.get(listed).content.decode()
    page = admin_client.get(reverse("admin:notifications_endpoint_change", args=[hook.pk])).content.decode()
    assert hook.secret not in page
