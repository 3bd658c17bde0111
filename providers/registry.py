"""Which providers there are, and how this process reaches them."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from core.registry import Registry, Unfit
from providers.contract import Provider
from providers.errors import KeyRefused

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NOBODY_S = "local"  # what runs on our own machine, for nothing


def judge(entry: object) -> None:
    """Raises Unfit for what an installed package offers as a provider, and is none."""
    if not isinstance(entry, Provider):
        raise Unfit("What it offers is no object of a class that is made from providers.contract.Provider.")
    name = getattr(entry, "name", None)
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == _NOBODY_S:
        raise Unfit("Its name is none that a provider can have: small letters, digits, single hyphens between them.")
    if any(getattr(price, "provider", None) != name for price in entry.prices):
        raise Unfit("Its prices are not all prices of its own models.")
    tried = _set_up(entry, os.environ)  # what breaks here would break every list of providers
    tried.listed_models()
    tried.default_model("image.gen")


PROVIDERS: Registry[Provider] = Registry("providers.adapters", "PROVIDER", judge=judge)


def provider(name: str, *, environ: Mapping[str, str] = os.environ) -> Provider:
    """The adapter called `name`, set up by `<NAME>_BASE_URL` and its own variables. Raises UnknownName."""
    return _set_up(PROVIDERS.get(name), environ)


class Configured:
    """Every adapter as `provider` sets it up: what a plan asks, since what can be made may depend on it."""

    def __contains__(self, name: object) -> bool:
        return name in PROVIDERS

    def __iter__(self) -> Iterator[Provider]:
        return (provider(entry.name) for entry in PROVIDERS)

    def get(self, name: str) -> Provider:
        """The adapter of that name. Raises UnknownName."""
        return provider(name)


def base_url_variable(name: str) -> str:
    """The environment variable that moves the provider to another origin, such as an emulator's."""
    return f"{name.upper().replace('-', '_')}_BASE_URL"


def key_variables(name: str) -> tuple[str, ...]:
    """The variables of the operator's key: its own, then those that may be unset. () where none is needed.

    Raises UnknownName.
    """
    kind = PROVIDERS.get(name)
    return (kind.key_variable, *kind.key_extras) if kind.key_variable else ()


def api_key(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """The operator's key as its adapter takes it; "" for a provider that needs none or does without.

    Raises KeyRefused (KEY_MISSING), and UnknownName.
    """
    variables = key_variables(name)
    values = [environ.get(variable, "").strip() for variable in variables]
    if values and values[0]:
        return "\n".join(values)
    if values and not PROVIDERS.get(name).key_is_optional:
        raise KeyRefused(f"There is no key for {name}: set {variables[0]}.", reason="KEY_MISSING")
    return ""


def webhook_secret(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """What the provider signs its webhooks with, where that is set by hand; "" where it is not. Raises UnknownName."""
    variable = PROVIDERS.get(name).webhook_variable
    return environ.get(variable, "").strip() if variable else ""


def _set_up(usual: Provider, environ: Mapping[str, str]) -> Provider:
    values = [environ.get(variable) or None for variable in (base_url_variable(usual.name), *usual.variables)]
    return _made(type(usual), *values) if any(values) else usual


@lru_cache(maxsize=128)
def _made(kind: Callable[..., Provider], *values: str | None) -> Provider:
    return kind(*values)
