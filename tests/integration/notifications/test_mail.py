import smtplib

import pytest
from django.core.mail.backends.locmem import EmailBackend

from notifications.mailing import letter_of
from notifications.models import Delivery, MailWish
from tests.factories import planned
from tests.integration.notifications.ways import finish, let_pass
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)
WISHES = "/api/notifications"


@pytest.fixture
def alice(alice, settings):
    settings.ZAP_MAIL_ON, settings.ZAP_MAIL_FROM = True, "Zaps <zaps@example.com>"
    settings.ZAP_PUBLIC_URL = "https://zaps.example.com"
    alice.email = "alice@example.com"
    alice.save()
    return alice


@pytest.fixture
def wish(client, as_alice, alice):
    def say(*events):
        return client.put(WISHES, {"mailOn": events}, content_type="application/json", headers=as_alice)

    return say


def test_nobody_gets_mail_who_did_not_ask_for_it(alice, bells, told, mailoutbox):
    finish(bells, alice)

    assert told() == 0
    assert mailoutbox == []


def test_a_mail_says_what_happened_and_where_to_see_it(alice, bells, told, wish, mailoutbox):
    assert wish("run.done").json() == {"mailOn": ["run.done"], "address": "alice@example.com", "isAvailable": True}
    run = finish(bells, alice)

    assert told() == 1
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["alice@example.com"], "test is done")
    assert mail.from_email == "Zaps <zaps@example.com>"
    page = f"https://zaps.example.com/runs/{run.run_id}"
    assert page in mail.body
    assert page in mail.alternatives[0][0]
    assert "https://zaps.example.com/api/notifications/stop/" in mail.body
    assert mail.extra_headers["List-Unsubscribe"].startswith("<https://zaps.example.com/api/notifications/stop/")
    assert told() == 0


def test_a_run_that_waits_says_what_for(alice, bells, told, wish, mailoutbox):
    wish("run.waiting")
    finish(bells, alice, planned("door", gate=Gate()))

    told()

    assert mailoutbox[0].subject == "test waits for you"
    assert "Waits for: approval" in mailoutbox[0].body


def test_the_link_in_a_mail_ends_them_once_it_is_pressed(client, alice, bells, wish, told, mailoutbox):
    wish("run.done")
    finish(bells, alice)
    link = letter_of(Delivery.objects.get()).stop_link.removeprefix("https://zaps.example.com")

    assert "no more mail" in client.get(link).content.decode()
    assert MailWish.objects.get().events == ["run.done"]
    assert client.post(link).status_code == 200
    assert MailWish.objects.get().events == []
    assert client.get(link[:-1]).status_code == 404


@pytest.mark.parametrize("why", ["no server", "no address"])
def test_mail_that_cannot_be_sent_cannot_be_wished(alice, wish, settings, why):
    if why == "no server":
        settings.ZAP_MAIL_ON = False
    else:
        type(alice).objects.update(email="")

    assert wish("run.done").json()["code"] == "MAIL_UNAVAILABLE"
    assert wish().status_code == 200


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (smtplib.SMTPServerDisconnected("gone"), "UNREACHABLE", "waiting"),
        (ConnectionRefusedError(), "UNREACHABLE", "waiting"),
        (smtplib.SMTPRecipientsRefused({"alice@example.com": (550, b"no such user")}), "REFUSED", "failed"),
    ],
)
def test_a_mail_server_that_fails_is_asked_again_and_a_refusal_is_final(
    alice, bells, told, wish, mailoutbox, monkeypatch, fault, code, status
):
    def fail(self, messages):
        raise fault

    wish("run.done")
    finish(bells, alice)
    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", fail)
        told()

    delivery = Delivery.objects.get()
    assert (delivery.log[0]["code"], delivery.status) == (code, status)
    assert "no such user" not in str(delivery.log)
    let_pass(60), told()
    assert len(mailoutbox) == (status == "waiting")


def test_an_account_that_leaves_takes_everything_along(alice, bells, hook, wish):
    from accounts.leaving.parts import parts

    wish("run.done")
    finish(bells, alice)
    mine = next(part for part in parts() if part.name == "notifications")
    exported = {name: list(rows) for name, rows in mine.export(alice.pk).items()}

    assert hook.plain not in str(exported)
    assert len(exported["deliveries"]) == 3
    assert list(mine.remove(alice.pk)) == list(mine.remove(alice.pk)) == []
    assert Delivery.objects.count() == 0
