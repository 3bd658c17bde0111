import io

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from accounts.models import Secret
from accounts.vault import keeping, rotation
from accounts.vault.access import Use
from accounts.vault.credentials import credential
from providers.errors import KeyRefused

pytestmark = pytest.mark.django_db


def rotate(*words):
    out = io.StringIO()
    call_command("rotate_secrets", *words, stdout=out)
    return out.getvalue()


def read(owner_id=None):
    use = Use(why="test", used_for="test")
    return credential("fal", owner_id=owner_id, source="creator" if owner_id else "operator", use=use)


@pytest.fixture
def kept(alice):
    keeping.put("fal", {"fal_key": "of-alice"}, owner_id=alice.pk, by="test")
    keeping.put("fal", {"fal_key": "of-operator"}, owner_id=None, by="test")


@pytest.mark.usefixtures("kept")
def test_after_a_rotation_the_old_key_can_be_thrown_away(alice, settings):
    old, new = settings.ZAP_SECRET_KEYS[0], Fernet.generate_key().decode()
    account = read(alice.pk).account

    settings.ZAP_SECRET_KEYS = [new, old]
    assert rotate() == "2 encrypted again.\n"
    settings.ZAP_SECRET_KEYS = [new]

    assert (read(alice.pk).key.reveal(), read().key.reveal()) == ("of-alice", "of-operator")
    assert read(alice.pk).account == account
    assert not Secret.objects.filter(rotated_at=None).exists()
    settings.ZAP_SECRET_KEYS = [old]
    with pytest.raises(KeyRefused):
        read()


@pytest.mark.usefixtures("kept")
def test_equal_keys_are_one_account_before_and_after(alice, bob, settings):
    old, new = settings.ZAP_SECRET_KEYS[0], Fernet.generate_key().decode()
    settings.ZAP_SECRET_KEYS = [new, old]
    keeping.put("fal", {"fal_key": "of-alice"}, owner_id=bob.pk, by="test")
    assert read(bob.pk).account == read(alice.pk).account

    rotate()
    fingerprints = set(Secret.objects.filter(owner__isnull=False).values_list("fingerprint", flat=True))
    assert len(fingerprints) == 1


@pytest.mark.usefixtures("kept")
def test_what_no_key_reads_is_named_and_left_alone(settings):
    keys = settings.ZAP_SECRET_KEYS
    Secret.objects.filter(owner=None).update(ciphertext="nonsense")

    with pytest.raises(CommandError, match="fal fal_key of the operator"):
        rotate()

    assert Secret.objects.get(owner=None).ciphertext == "nonsense"
    assert Secret.objects.exclude(owner=None).get().rotated_at is not None
    settings.ZAP_SECRET_KEYS = []
    with pytest.raises(CommandError, match="ZAP_SECRET_KEYS"):
        rotate()
    settings.ZAP_SECRET_KEYS = keys


@pytest.mark.usefixtures("kept")
def test_a_key_that_is_set_meanwhile_is_not_written_over(alice, monkeypatch):
    sealed = rotation.seal

    def slowly(value, place):
        keeping.put("fal", {"fal_key": "newer"}, owner_id=alice.pk, by="test")
        return sealed(value, place)

    monkeypatch.setattr(rotation, "seal", slowly)
    Secret.objects.filter(owner=None).delete()

    assert rotation.rotate().count == 0
    assert read(alice.pk).key.reveal() == "newer"


def test_a_new_key_is_one_that_can_be_used(settings):
    Fernet(rotate("--new-key").strip())


@pytest.mark.usefixtures("kept")
def test_stored_keys_that_nothing_can_read_are_complained_about(settings):
    def complaints():
        return [message.id for message in run_checks(databases=["default"]) if message.id == "accounts.E001"]

    assert complaints() == []
    settings.ZAP_SECRET_KEYS = []
    assert complaints() == ["accounts.E001"]
    Secret.objects.all().delete()
    assert complaints() == []
