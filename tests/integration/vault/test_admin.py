import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from accounts.models import OperatorKeyGrant, Secret, SecretAccess
from accounts.vault import keeping
from accounts.vault.access import Use
from accounts.vault.credentials import credential
from tests.integration.vault.conftest import CANARY

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(client):
    user = get_user_model().objects.create_superuser("root")
    client.force_login(user)
    return user


def page(client, path):
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_admin_shows_whose_keys_there_are_and_nothing_of_them(client, root, alice):
    keeping.put("fal", {"fal_key": CANARY}, owner_id=alice.pk, by="user:1")
    keeping.put("fal", {"fal_key": CANARY}, owner_id=None, by="user:1")
    credential("fal", owner_id=alice.pk, use=Use(why="submit", used_for="user:1", run_id="run_1", attempt=1))
    secret, access = Secret.objects.first(), SecretAccess.objects.get()

    pages = [
        page(client, "/admin/accounts/secret/"),
        page(client, f"/admin/accounts/secret/?q={alice.username}"),
        page(client, f"/admin/accounts/secret/{secret.pk}/change/"),
        page(client, "/admin/accounts/secretaccess/"),
        page(client, f"/admin/accounts/secretaccess/{access.pk}/change/"),
    ]

    assert "the operator" in pages[0]
    assert secret.fingerprint in pages[0]
    assert "run_1" in pages[3]
    for text in pages:
        assert CANARY not in text
        assert CANARY[:-4] not in text
        for row in Secret.objects.all():
            assert row.ciphertext not in text


def test_keys_are_neither_added_changed_nor_deleted_there(client, root):
    keeping.put("fal", {"fal_key": CANARY}, owner_id=None, by="user:1")
    pk = Secret.objects.get().pk

    assert client.get("/admin/accounts/secret/add/").status_code == 403
    assert client.post(f"/admin/accounts/secret/{pk}/change/", {"name": "x"}).status_code == 403
    assert client.post(f"/admin/accounts/secret/{pk}/delete/", {"post": "yes"}).status_code == 403
    assert Secret.objects.get().name == "fal_key"


def test_an_operator_lets_somebody_spend_the_keys_and_stops_it(client, root, alice):
    client.post(reverse("admin:accounts_operatorkeygrant_add"), {"user": alice.pk})

    grant = OperatorKeyGrant.objects.get()
    assert (grant.user, grant.granted_by) == (alice, root)
    assert "alice" in page(client, "/admin/accounts/operatorkeygrant/")

    client.post(reverse("admin:accounts_operatorkeygrant_delete", args=[grant.pk]), {"post": "yes"})
    assert not OperatorKeyGrant.objects.exists()
