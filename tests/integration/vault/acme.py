"""A provider whose key has two parts."""

from providers.adapters.mock import Mock
from providers.contract import Talk


class Acme(Mock):
    name = "acme"
    key_variable = "ACME_KEY"
    key_extras = ("ACME_ORG",)

    def check_key(self, *, key: str) -> Talk[bool]:
        return False
        yield
