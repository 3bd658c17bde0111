import pytest
from django.contrib.auth.models import User

from accounts.models import OperatorKeyGrant, Secret, SecretAccess
from accounts.vault import keeping
from accounts.vault.access import Use
from accounts.vault.credentials import (
    KeyMissing,
    Source,
    credential,
    may_spend_operator_keys,
    require,
    source_for,
)
from accounts.vault.sets import read_sets
from core.registry import UnknownName
from providers import registry
from providers.errors import KeyRefused
from tests.integration.vault.acme import Acme

pytestmark = pytest.mark.django_db
RUN = "run_0123456789abcdef"


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS.entries, "acme", Acme())


def put(owner, key, provider="fal"):
    keeping.put(provider, {f"{provider}_key": key}, owner_id=owner and owner.pk, by="test")


def send_along(owner, key, run=RUN):
    keeping.keep_for_request(read_sets({"fal": {"fal_key": key}}), request_ref=run, owner_id=owner.pk, by="test")


def get(owner, *, run="", source=None, provider="fal"):
    use = Use(why="submit", used_for="user:1", run_id=RUN, step_id="shot", attempt=2)
    return credential(provider, owner_id=owner and owner.pk, request_ref=run, source=source, use=use)


# --- the order ------------------------------------------------------------------------------------------------------


def test_the_run_s_own_key_goes_before_its_owner_s_and_that_before_the_operator_s(sam):
    put(None, "of-operator")
    assert (get(sam).source, get(sam).key.reveal()) == (Source.OPERATOR, "of-operator")

    put(sam, "of-sam")
    assert (get(sam).source, get(sam).key.reveal()) == (Source.CREATOR, "of-sam")

    send_along(sam, "of-run")
    assert (get(sam, run=RUN).source, get(sam, run=RUN).key.reveal()) == (Source.REQUEST, "of-run")


def test_what_came_with_one_run_is_used_for_that_run_alone(alice):
    put(alice, "of-alice")
    send_along(alice, "of-run")

    assert get(alice, run="run_other").key.reveal() == "of-alice"
    assert get(alice).key.reveal() == "of-alice"


def test_nobody_gets_the_key_of_another(alice, bob):
    put(bob, "of-bob")
    send_along(bob, "of-bobs-run")

    with pytest.raises(KeyRefused) as caught:
        get(alice, run=RUN)

    assert caught.value.reason == "KEY_MISSING"
    assert source_for("fal", owner_id=alice.pk, request_ref=RUN) is None


def test_a_run_that_nobody_owns_gets_nobody_s_key(alice):
    put(alice, "of-alice")
    send_along(alice, "of-run")

    with pytest.raises(KeyRefused):
        get(None, run=RUN)


def test_the_parts_of_a_key_come_from_one_place(acme, sam, monkeypatch):
    keeping.put("acme", {"acme_key": "op", "acme_org": "op-org"}, owner_id=None, by="test")
    monkeypatch.setenv("ACME_ORG", "env-org")
    put(sam, "own", provider="acme")

    assert get(sam, provider="acme").key.reveal() == "own\n"
    assert get(sam, provider="acme", source=Source.OPERATOR).key.reveal() == "op\nop-org"


def test_a_set_that_lacks_its_key_counts_as_none(acme, sam):
    keeping.put("acme", {"acme_key": "op", "acme_org": "op-org"}, owner_id=None, by="test")
    keeping.put("acme", {"acme_key": "own", "acme_org": "own-org"}, owner_id=sam.pk, by="test")
    Secret.objects.filter(owner=sam, name="acme_key").delete()

    assert get(sam, provider="acme").key.reveal() == "op\nop-org"


def test_a_provider_that_needs_no_key_gets_none_and_asks_nobody(alice, django_assert_num_queries):
    with django_assert_num_queries(0):
        found = get(alice, provider="mock")

    assert (found.source, found.key.reveal()) == (Source.NONE, "")


def test_what_is_no_provider_has_no_credential(alice):
    with pytest.raises(UnknownName):
        get(alice, provider="nobody")


def test_a_credential_does_not_show_its_key(alice):
    put(alice, "of-alice")

    assert "of-alice" not in repr(get(alice))


# --- the operator's -------------------------------------------------------------------------------------------------


def test_the_operator_s_may_come_from_the_environment_or_from_the_vault_which_goes_first(sam, monkeypatch):
    monkeypatch.setenv("FAL_KEY", " of-environment\n")
    assert (get(sam).key.reveal(), get(sam).account) == ("of-environment", "env:fal")

    put(None, "of-vault")
    assert get(sam).key.reveal() == "of-vault"

    keeping.take_back("fal", owner_id=None)
    assert get(sam).key.reveal() == "of-environment"


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [("staff", {"sam"}), ("allowed", {"sam", "gina"}), ("everyone", {"sam", "gina", "alice", "ivan"})],
)
def test_the_operator_says_whose_runs_may_spend_it(settings, monkeypatch, sam, alice, policy, allowed):
    settings.ZAP_OPERATOR_KEYS_FOR = policy
    monkeypatch.setenv("FAL_KEY", "of-environment")
    gina = User.objects.create_user("gina")
    OperatorKeyGrant.objects.create(user=gina)
    ivan = User.objects.create_user("ivan", is_staff=True, is_active=False)

    found = {user.username for user in (sam, alice, gina, ivan) if may_spend_operator_keys(user.pk)}

    assert found == allowed
    for user in (sam, alice, gina, ivan):
        assert (source_for("fal", owner_id=user.pk) is Source.OPERATOR) == (user.username in allowed)


def test_a_caller_without_a_key_is_refused_before_a_run_is_made(alice, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "of-environment")

    with pytest.raises(KeyMissing) as caught:
        require(["fal", "mock", "fal"], owner_id=alice.pk)

    assert (caught.value.status, caught.value.code) == (403, "KEY_MISSING")
    assert caught.value.extra == {"providers": ["fal"]}
    assert "zap keys set" in caught.value.remediation
    assert "of-environment" not in str(caught.value)


def test_a_caller_with_a_key_is_let_in(alice):
    sent = read_sets({"fal": {"fal_key": "k"}})
    require(["fal"], owner_id=alice.pk, sent=sent)

    send_along(alice, "of-run")
    require(["fal"], owner_id=alice.pk, request_ref=RUN)

    put(alice, "of-alice")
    require(["fal", "mock"], owner_id=alice.pk)


def test_a_machine_of_the_operator_s_is_not_opened_by_a_key_of_one_s_own(alice, sam, acme, monkeypatch):
    put(alice, "own", provider="acme")
    monkeypatch.setattr(Acme, "self_hosted", True)
    monkeypatch.setattr(Acme, "key_is_optional", True)

    assert source_for("acme", owner_id=alice.pk) is None
    assert (get(sam, provider="acme").source, get(sam, provider="acme").key.reveal()) == (Source.OPERATOR, "")


# --- jobs that were begun -------------------------------------------------------------------------------------------


def test_a_job_is_looked_at_with_the_key_of_the_source_that_began_it(sam):
    put(None, "of-operator")
    put(sam, "of-sam")

    assert get(sam, source=Source.OPERATOR).key.reveal() == "of-operator"

    keeping.take_back("fal", owner_id=sam.pk)
    with pytest.raises(KeyRefused):
        get(sam, source=Source.CREATOR)


def test_a_job_that_spent_the_operator_s_key_is_looked_at_whoever_may_spend_it_now(alice, monkeypatch):
    monkeypatch.setenv("FAL_KEY", "of-environment")

    assert get(alice, source=Source.OPERATOR).key.reveal() == "of-environment"
    assert get(None, source=Source.OPERATOR).key.reveal() == "of-environment"


def test_equal_keys_are_one_account_and_others_are_not(alice, bob):
    put(alice, "same")
    put(bob, "same")
    send_along(bob, "other")

    assert get(alice).account == get(bob).account != get(bob, run=RUN).account
    assert "same" not in get(alice).account


def test_an_account_keeps_its_name_while_its_key_is_set_again(alice):
    put(alice, "first")
    before = get(alice).account

    put(alice, "first")
    assert get(alice).account == before

    put(alice, "second")
    assert get(alice).account != before


# --- tampering and the log ------------------------------------------------------------------------------------------


def test_a_ciphertext_that_was_put_into_another_s_row_is_not_read(alice, bob):
    put(alice, "of-alice")
    put(bob, "of-bob")
    Secret.objects.filter(owner=alice).update(ciphertext=Secret.objects.get(owner=bob).ciphertext)

    with pytest.raises(KeyRefused) as caught:
        get(alice)

    assert caught.value.reason == "SECRET_UNREADABLE"
    assert not SecretAccess.objects.exists()


def test_a_row_that_was_given_to_another_owner_is_not_read(alice, bob):
    put(alice, "of-alice")
    Secret.objects.update(owner=bob)

    with pytest.raises(KeyRefused) as caught:
        get(bob)
    assert caught.value.reason == "SECRET_UNREADABLE"


def test_without_the_vault_s_key_there_is_none(alice, settings):
    put(alice, "of-alice")
    settings.ZAP_SECRET_KEYS = []

    with pytest.raises(KeyRefused) as caught:
        get(alice)

    assert caught.value.reason == "VAULT_CLOSED"


def test_every_decryption_is_written_down(alice):
    put(alice, "of-alice")

    get(alice)

    row = SecretAccess.objects.get()
    assert (row.owner, row.provider, row.source, row.used_for) == (alice, "fal", "creator", "user:1")
    assert (row.why, row.run_id, row.step_id, row.attempt) == ("submit", RUN, "shot", 2)


def test_asking_whose_key_would_be_used_decrypts_nothing(alice, settings):
    put(alice, "of-alice")
    settings.ZAP_SECRET_KEYS = []

    assert source_for("fal", owner_id=alice.pk) is Source.CREATOR
    assert not SecretAccess.objects.exists()
