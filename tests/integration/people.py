"""Who calls in the tests: Alice owns things, Bob is a stranger, Sam is staff."""

from django.contrib.auth import get_user_model

from accounts.caller import Scope
from accounts.tokens import create_token


def make_user(name, *, staff=False):
    return get_user_model().objects.create_user(username=name, password="x", is_staff=staff)


def bearer(user, scopes=tuple(Scope)):
    """Headers for Django's test client."""
    _, plain = create_token(user, "test", scopes)
    return {"Authorization": f"Bearer {plain}"}
