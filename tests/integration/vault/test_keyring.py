import pytest

from accounts.models import SecretAccess
from accounts.vault import keeping
from accounts.vault.access import Use
from accounts.vault.credentials import Source
from accounts.vault.keyring import KEEP_S, Keyring
from accounts.vault.sets import read_sets
from providers.errors import KeyRefused

pytestmark = pytest.mark.django_db
RUN = "run_0123456789abcdef"


def put(owner, key):
    keeping.put("fal", {"fal_key": key}, owner_id=owner and owner.pk, by="test")


def send_along(owner, key, run=RUN):
    keeping.keep_for_request(read_sets({"fal": {"fal_key": key}}), request_ref=run, owner_id=owner.pk, by="test")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_a_key_is_at_hand_for_a_minute_and_then_read_again(alice, django_assert_num_queries):
    put(alice, "of-alice")
    clock = Clock()
    keyring = Keyring(clock)

    def look():
        use = Use(why="poll", used_for="user:1")
        return keyring.get("fal", owner_id=alice.pk, request_ref=RUN, source=Source.CREATOR, use=use).key.reveal()

    assert look() == "of-alice"
    put(alice, "newer")
    clock.now += KEEP_S - 1
    with django_assert_num_queries(0):
        assert look() == "of-alice"
    clock.now += 1
    assert look() == "newer"
    assert SecretAccess.objects.count() == 2


def test_a_keyring_does_not_mix_owners_runs_or_sources(alice, bob, sam):
    put(alice, "of-alice")
    put(bob, "of-bob")
    put(None, "of-operator")
    send_along(alice, "of-run")
    send_along(alice, "of-other", run="run_other")
    keyring, use = Keyring(), Use(why="poll", used_for="user:1")

    def look(owner, source, run=RUN):
        return keyring.get("fal", owner_id=owner.pk, request_ref=run, source=source, use=use).key.reveal()

    for _ in range(2):
        assert look(alice, Source.CREATOR) == "of-alice"
        assert look(bob, Source.CREATOR) == "of-bob"
        assert look(alice, Source.REQUEST) == "of-run"
        assert look(alice, Source.REQUEST, "run_other") == "of-other"
        assert look(alice, Source.OPERATOR) == look(bob, Source.OPERATOR) == "of-operator"
    with pytest.raises(KeyRefused):
        look(bob, Source.REQUEST)
