"""What vendors' webhooks are believed, each as the emulator's vendor sends it and as the adapter reads it."""

import json
import time
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace

import pytest
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret

from providers import kept
from providers.adapters.fal import Fal
from providers.adapters.openrouter import OpenRouter
from providers.adapters.replicate import Replicate
from providers.adapters.runware import Runware
from providers.contract import Generation, Hook, Provider
from providers.emulator.openrouter import WEBHOOK_SECRET
from providers.emulator.wire import reply
from providers.errors import KeyRefused, ProviderError, Unavailable, WebhookRefused
from providers.kept import KEPT
from tests.processes import wait_until
from tests.unit.providers.conftest import serve  # noqa: F401 (a fixture)

VENDORS = {"fal": Fal, "openrouter": OpenRouter, "replicate": Replicate, "runware": Runware}
SIGNED = ["fal", "openrouter", "replicate"]
ASKING = ["fal", "replicate"]
KEY = "id:secret"
SECONDS = {"video.gen": Decimal(4)}


@pytest.fixture(autouse=True)
def nothing_is_kept():
    KEPT.forget()


@dataclass
class Vendor:
    """An adapter, its vendor's desk, and an address of ours that the vendor calls."""

    provider: Provider
    desk: object
    ours: object
    converse: object

    def call_back(self, *faults):
        """Buy something and be called; what came, oldest first. `faults` are what goes wrong with the webhook."""
        self.desk.plan.add(*({"on": "webhook", **fault} for fault in faults))
        self.desk.journal.clear()
        kind = "video.gen" if self.provider.name == "openrouter" else "image.gen"
        model = self.provider.default_model(kind)
        wanted = Generation(capability=kind, model=model, prompt="A red kite", duration_s=SECONDS.get(kind))
        talk = self.provider.submit(wanted, key=KEY, idem_key="idem", callback_url=f"{self.ours.url}/hook")
        self.job = self.converse(talk)
        wait_until(lambda: self.desk.journal.deliveries)
        return [self.hook(one) for one in self.ours.requests]

    def hook(self, request):
        return Hook(headers=request.headers, body=request.body, received_at=time.time())

    def read(self, hook, key=KEY, secret=None):
        by_hand = {"openrouter": WEBHOOK_SECRET}.get(self.provider.name, "")
        secret = by_hand if secret is None else secret
        return self.converse(self.provider.read_webhook(hook, key=key, secret=secret))

    def refuses(self, hook):
        """Why."""
        with pytest.raises(WebhookRefused) as caught:
            self.read(hook)
        return caught.value.reason


@pytest.fixture
def vendor(request, emulator, serve, converse):  # noqa: F811
    return make(request.param, emulator, serve, converse)


def make(name, emulator, serve, converse):  # noqa: F811
    provider = VENDORS[name](emulator.urls[name])
    return Vendor(provider=provider, desk=emulator.desks[name], ours=serve(reply({})), converse=converse)


every = pytest.mark.parametrize("vendor", list(VENDORS), indirect=True)
signed = pytest.mark.parametrize("vendor", SIGNED, indirect=True)
asking = pytest.mark.parametrize("vendor", ASKING, indirect=True)
fal_only = pytest.mark.parametrize("vendor", ["fal"], indirect=True)
replicate_only = pytest.mark.parametrize("vendor", ["replicate"], indirect=True)


@every
def test_a_webhook_names_the_job_that_was_bought(vendor):
    (hook,) = vendor.call_back()

    assert vendor.read(hook).request_id == vendor.job.request_id


@every
def test_a_repeated_webhook_is_the_same_event(vendor):
    vendor.call_back({"do": "duplicate"})
    first, second = wait_until(lambda: len(vendor.ours.requests) == 2 and map(vendor.hook, vendor.ours.requests))

    assert vendor.read(first).event_id == vendor.read(second).event_id
    assert first.body == second.body


@signed
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("forged", "WEBHOOK_FORGED"),
        ("wrong_key", "WEBHOOK_FORGED"),
        ("unsigned", "WEBHOOK_MALFORMED"),
        ("stale", "WEBHOOK_STALE"),
    ],
)
def test_a_webhook_that_is_not_the_vendors_is_refused(vendor, fault, reason):
    (hook,) = vendor.call_back({"do": fault})

    assert vendor.refuses(hook) == reason


@signed
@pytest.mark.parametrize(("off_s", "taken"), [(-299, True), (299, True), (-301, False), (301, False)])
def test_a_webhook_is_believed_for_five_minutes_either_way(vendor, off_s, taken):
    (hook,) = vendor.call_back()
    signed_at = moment_of(hook)
    moved = replace(hook, received_at=float(signed_at + off_s))

    if taken:
        assert vendor.read(moved).request_id == vendor.job.request_id
    else:
        assert vendor.refuses(moved) == "WEBHOOK_STALE"


def moment_of(hook):
    """When it was signed, as its headers say."""
    stamp = hook.headers.get("x-openrouter-signature", "").partition(",")[0].removeprefix("t=")
    return int(next((value for name, value in hook.headers.items() if name.endswith("timestamp")), stamp))


@asking
def test_a_new_key_of_the_vendors_is_found(vendor, monkeypatch):
    (hook,) = vendor.call_back()
    vendor.read(hook)
    monkeypatch.setattr(kept, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 61))
    vendor.ours.requests.clear()

    (hook,) = vendor.call_back({"do": "rotate"})

    assert vendor.read(hook).request_id == vendor.job.request_id


@asking
def test_bad_signatures_make_us_ask_for_keys_once_a_minute_at_most(vendor):
    (forged,) = vendor.call_back({"do": "wrong_key"})

    for _ in range(5):
        vendor.refuses(forged)

    assert vendor.desk.journal.count("jwks") + vendor.desk.journal.count("secret") == 1


@asking
def test_keys_are_kept_for_a_day(vendor):
    (hook,) = vendor.call_back()
    vendor.read(hook)
    vendor.desk.plan.add({"on": "*", "do": "nginx", "times": None})

    assert vendor.read(hook).request_id == vendor.job.request_id


@asking
@pytest.mark.parametrize("fault", ["nginx", "garbage", "drop"])
def test_without_keys_nothing_can_be_told(vendor, fault):
    (hook,) = vendor.call_back()
    vendor.desk.plan.add({"on": "*", "do": fault, "times": None})

    with pytest.raises(Unavailable):
        vendor.read(hook)


@fal_only
def test_a_key_list_is_read_with_and_without_padding_and_with_what_is_no_key(vendor, serve):  # noqa: F811
    (hook,) = vendor.call_back()
    (key,) = json.loads(vendor.desk.sheet.answer("jwks", None, None).body)["keys"]
    odd = {"keys": ["text", {}, {"x": 5}, {"x": "AAAA"}, {"x": "%"}, {"x": key["x"] + "="}]}
    vendor.provider.jwks_url = serve(reply(odd)).url
    vendor.provider.home = vendor.provider.home.and_at(vendor.provider.jwks_url, is_named=True)

    assert vendor.read(hook).request_id == vendor.job.request_id


@replicate_only
def test_a_secret_that_was_set_by_hand_is_not_asked_for(vendor):
    (hook,) = vendor.call_back()

    assert vendor.read(hook, secret=vendor.desk.sheet._signer.secret).request_id == vendor.job.request_id
    with pytest.raises(WebhookRefused):
        vendor.read(hook, secret="whsec_c29tZWJvZHkgZWxzZSdz")
    assert vendor.desk.journal.count("secret") == 0


@replicate_only
def test_replicates_own_client_believes_the_same_webhooks(vendor):
    (hook,) = vendor.call_back()
    (forged,) = vendor.call_back({"do": "forged"})[1:]
    secret = WebhookSigningSecret(key=vendor.desk.sheet._signer.secret)

    Webhooks.validate(headers=dict(hook.headers), body=hook.body.decode(), secret=secret, tolerance=300)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=dict(forged.headers), body=forged.body.decode(), secret=secret, tolerance=300)


@replicate_only
def test_two_accounts_never_share_a_secret(vendor):
    (hook,) = vendor.call_back()
    vendor.read(hook)

    with pytest.raises(KeyRefused):
        vendor.read(hook, key="invalid")


@replicate_only
def test_an_account_without_a_secret_believes_nobody(vendor):
    (hook,) = vendor.call_back()
    empty = {"on": "secret", "do": "status", "status": 200, "body": {"key": ""}, "times": None}
    vendor.desk.plan.add(empty)

    assert vendor.refuses(hook) == "WEBHOOK_FORGED"


@pytest.mark.parametrize("vendor", ["openrouter"], indirect=True)
def test_without_a_secret_the_address_alone_proves_an_openrouter_webhook(vendor):
    (hook,) = vendor.call_back({"do": "unsigned"})

    assert vendor.read(hook, secret="").request_id == vendor.job.request_id


@every
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"id":5}', b'{"data":[{"taskUUID":[]}]}', b"\xff", b"[" * 9000]
)
def test_a_body_that_makes_no_sense_is_refused(vendor, body):
    (hook,) = vendor.call_back()

    with pytest.raises(WebhookRefused):
        vendor.read(replace(hook, body=body))


@every
def test_what_was_refused_tells_nothing(vendor):
    (hook,) = vendor.call_back()
    odd = replace(hook, headers={name: "kite-secret" for name in hook.headers}, body=b'{"kite": "secret"}')

    with pytest.raises(ProviderError) as caught:
        vendor.read(odd)

    assert "kite" not in f"{caught.value!r} {caught.value} {odd!r}"
    assert caught.value.__cause__ is None
