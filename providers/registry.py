"""Which providers there are, and how this process reaches them."""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache

from core.registry import Registry
from providers.contract import Provider
from providers.errors import KeyRefused

PROVIDERS: Registry[Provider] = Registry("providers.adapters", "PROVIDER")


def provider(name: str, *, environ: Mapping[str, str] = os.environ) -> Provider:
    """The adapter called `name`, set up by `<NAME>_BASE_URL` and its own variables. Raises UnknownName."""
    kind = type(PROVIDERS.get(name))
    values = [environ.get(variable) or None for variable in (base_url_variable(name), *kind.variables)]
    return _made(kind, *values)


def base_url_variable(name: str) -> str:
    """The environment variable that moves the provider to another origin, such as an emulator's."""
    return f"{name.upper().replace('-', '_')}_BASE_URL"


def api_key(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """The operator's key; "" for a provider that needs none. Raises KeyRefused (KEY_MISSING), and UnknownName."""
    variable = PROVIDERS.get(name).key_variable
    if variable is None:
        return ""
    key = environ.get(variable, "").strip()
    if not key:
        raise KeyRefused(f"There is no key for {name}: set {variable}.", reason="KEY_MISSING")
    return key


@lru_cache(maxsize=128)
def _made(kind: Callable[..., Provider], *values: str | None) -> Provider:
    return kind(*values)
