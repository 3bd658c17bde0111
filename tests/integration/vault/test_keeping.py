from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from accounts.models import Secret, SecretAccess
from accounts.vault import keeping, pruning
from accounts.vault.access import Use
from accounts.vault.cipher import VaultClosed
from accounts.vault.credentials import credential
from accounts.vault.sets import read_set, read_sets
from core.errors import BadInput, NotFound
from providers import registry
from tests.integration.vault.acme import Acme

pytestmark = pytest.mark.django_db
LONG = "0123456789abcdefWXYZ"


@pytest.fixture(autouse=True)
def _acme(monkeypatch):
    monkeypatch.setitem(registry.PROVIDERS.entries, "acme", Acme())


def put(owner, provider="fal", **values):
    keeping.put(provider, values, owner_id=owner.pk, by="user:1")


def send_along(owner, run, key=LONG):
    keeping.keep_for_request(read_sets({"fal": {"fal_key": key}}), request_ref=run, owner_id=owner.pk, by="user:1")


def test_what_is_kept_is_shown_by_its_last_four_characters_and_a_fingerprint(alice):
    put(alice, fal_key=LONG)

    [one] = keeping.masked(alice.pk)

    assert (one.provider, one.request_ref, one.set_by) == ("fal", "", "user:1")
    [value] = one.fields
    assert (value.name, value.last_four, len(value.fingerprint)) == ("fal_key", "WXYZ", 32)
    assert LONG not in repr(one)


def test_a_short_value_shows_none_of_its_characters(alice):
    put(alice, fal_key="short-value-15c")

    assert keeping.masked(alice.pk)[0].fields[0].last_four == ""


def test_a_key_is_replaced_as_a_whole(alice):
    put(alice, "acme", acme_key="first", acme_org="org")
    put(alice, "acme", acme_key="second")

    [one] = keeping.masked(alice.pk)

    assert [value.name for value in one.fields] == ["acme_key"]
    assert Secret.objects.count() == 1


def test_setting_the_same_key_again_changes_nothing_that_counts(alice):
    put(alice, fal_key=LONG)
    before = keeping.masked(alice.pk)[0]
    put(alice, fal_key=LONG)
    after = keeping.masked(alice.pk)[0]

    assert after.fields == before.fields
    assert after.created_at == before.created_at


def test_two_owners_see_their_own(alice, bob):
    put(alice, fal_key=LONG)

    assert keeping.masked(bob.pk) == []
    assert keeping.masked(None) == []
    keeping.take_back("fal", owner_id=bob.pk)
    assert len(keeping.masked(alice.pk)) == 1


def test_a_key_that_is_taken_back_twice_is_gone_once(alice):
    put(alice, fal_key=LONG)
    send_along(alice, "run_1")

    keeping.take_back("fal", owner_id=alice.pk)
    keeping.take_back("fal", owner_id=alice.pk)

    assert [one.request_ref for one in keeping.masked(alice.pk)] == ["run_1"]


def test_a_key_of_a_provider_that_is_gone_can_be_seen_and_taken_back(alice, monkeypatch):
    put(alice, "acme", acme_key=LONG)
    monkeypatch.delitem(registry.PROVIDERS.entries, "acme")

    assert len(keeping.masked(alice.pk)) == 1
    keeping.take_back("acme", owner_id=alice.pk)
    with pytest.raises(NotFound):
        keeping.take_back("acme", owner_id=alice.pk)


def test_what_was_sent_along_goes_with_its_run(alice, bob):
    send_along(alice, "run_1")
    send_along(alice, "run_2")
    send_along(bob, "run_3")

    assert keeping.requests_with_keys() == ["run_1", "run_2", "run_3"]
    keeping.take_back_of_request("run_3", owner_id=alice.pk)
    keeping.take_back_of_request("", owner_id=alice.pk)
    assert keeping.requests_with_keys() == ["run_1", "run_2", "run_3"]
    keeping.take_back_of_request("run_1", owner_id=alice.pk)
    assert keeping.forget_requests(["run_2", ""]) == 1
    assert keeping.requests_with_keys() == ["run_3"]


def test_an_owner_takes_the_keys_along(alice):
    put(alice, fal_key=LONG)

    alice.delete()

    assert not Secret.objects.exists()


def test_the_database_refuses_two_of_the_same_and_what_nobody_sent(alice):
    keeping.put("fal", {"fal_key": LONG}, owner_id=None, by="test")
    row = Secret.objects.get()
    row.pk = None
    with pytest.raises(IntegrityError, match="secret_once"):
        _in_savepoint(row.save)
    row.request_ref = "run_1"
    with pytest.raises(IntegrityError, match="secret_sent_by_somebody"):
        _in_savepoint(row.save)


def _in_savepoint(act):
    with transaction.atomic():
        act()


def test_without_a_key_of_its_own_the_vault_keeps_nothing(alice, settings):
    settings.ZAP_SECRET_KEYS = []

    with pytest.raises(VaultClosed):
        put(alice, fal_key=LONG)


@pytest.mark.django_db(transaction=True)
def test_a_key_that_two_set_at_once_is_one_of_the_two_and_not_a_mixture():
    owner = User.objects.create_user("carol")
    whole = [{"acme_key": f"key-{n}", "acme_org": f"org-{n}"} for n in range(6)]
    whole += [{"acme_key": f"key-{n}"} for n in range(6, 8)]

    def act(values):
        keeping.put("acme", values, owner_id=owner.pk, by="test")
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, whole))

    use = Use(why="test", used_for="user:1")
    found = credential("acme", owner_id=owner.pk, use=use).key.reveal().split("\n")
    given = {(values["acme_key"], values.get("acme_org", "")) for values in whole}
    assert tuple(found) in given


# --- what is no key -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({}, "SECRET_MISSING"),
        ({"acme_org": "o"}, "SECRET_MISSING"),
        ({"acme_key": ""}, "SECRET_INVALID"),
        ({"acme_key": "   "}, "SECRET_INVALID"),
        ({"acme_key": "two words"}, "SECRET_INVALID"),
        ({"acme_key": "line\r\nX-Evil: 1"}, "SECRET_INVALID"),
        ({"acme_key": "nul\0"}, "SECRET_INVALID"),
        ({"acme_key": "schlüssel"}, "SECRET_INVALID"),
        ({"acme_key": "x" * 4097}, "SECRET_INVALID"),
        ({"acme_key": 12345}, "SECRET_INVALID"),
        ({"acme_key": None}, "SECRET_INVALID"),
        ({"acme_key": ["k"]}, "SECRET_INVALID"),
        ({"acme_key": "k", "my-secret-as-a-name": "v"}, "SECRET_UNKNOWN"),
        (["acme_key"], "SECRET_UNKNOWN"),
        ("acme_key", "SECRET_UNKNOWN"),
        (None, "SECRET_UNKNOWN"),
    ],
)
def test_what_is_no_key_is_refused_and_not_repeated(given, code):
    with pytest.raises(BadInput) as alone:
        read_set("acme", given, is_operator=False)
    with pytest.raises(BadInput) as along:
        read_sets({"acme": given})

    for caught in (alone, along):
        problem = caught.value.problems[0]
        assert problem.code == code
        said = f"{caught.value} {problem}"
        for hidden in ("my-secret-as-a-name", "X-Evil", "two words", "12345", "schlüssel"):
            assert hidden not in said
    assert (along.value.problems[0].path or "").startswith("secrets.acme")


@pytest.mark.parametrize("given", [[], "fal", 3, {"nobody": {}}, {f"p{n}": {} for n in range(21)}])
def test_what_is_no_object_of_providers_is_refused(given):
    with pytest.raises(BadInput):
        read_sets(given)


@pytest.mark.parametrize("given", [None, {}])
def test_no_keys_are_no_keys(given):
    assert "fal" not in read_sets(given)


def test_space_around_a_key_is_not_part_of_it():
    assert read_set("fal", {"fal_key": " id:secret\n"}, is_operator=False) == {"fal_key": "id:secret"}


def test_a_provider_without_keys_takes_none():
    with pytest.raises(BadInput) as caught:
        read_set("mock", {"key": "k"}, is_operator=False)
    assert caught.value.problems[0].code == "SECRET_NOT_NEEDED"
    with pytest.raises(NotFound):
        read_set("nobody", {"key": "k"}, is_operator=False)


def test_a_machine_of_the_operator_s_takes_the_operator_s_key_only(monkeypatch):
    monkeypatch.setattr(Acme, "self_hosted", True)

    assert read_set("acme", {"acme_key": "k"}, is_operator=True) == {"acme_key": "k"}
    with pytest.raises(BadInput):
        read_set("acme", {"acme_key": "k"}, is_operator=False)


def test_sets_do_not_show_what_they_hold():
    assert LONG not in repr(read_sets({"fal": {"fal_key": LONG}}))


# --- forgetting -----------------------------------------------------------------------------------------------------


def test_old_accesses_and_the_keys_of_runs_that_are_over_are_forgotten(alice, settings):
    settings.ZAP_SECRET_LOG_DAYS = 7
    for run in ("run_1", "run_2", "run_3"):
        send_along(alice, run)
        credential("fal", owner_id=alice.pk, request_ref=run, use=Use(why="submit", used_for="user:1", run_id=run))
    SecretAccess.objects.filter(run_id="run_1").update(at=Now() - timedelta(days=8))
    Secret.objects.filter(request_ref="run_3").update(updated_at=Now() - pruning.LONGEST_REQUEST - timedelta(hours=1))
    put(alice, fal_key=LONG)
    Secret.objects.filter(request_ref="").update(updated_at=Now() - timedelta(days=400))

    pruning.prune(lambda refs: [ref for ref in refs if ref == "run_1"])

    assert sorted(SecretAccess.objects.values_list("run_id", flat=True)) == ["run_2", "run_3"]
    assert sorted(Secret.objects.values_list("request_ref", flat=True)) == ["", "run_2"]
