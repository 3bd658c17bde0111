"""Whether a provider takes a key, asked by one call that costs nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from accounts.vault.access import Use
from accounts.vault.credentials import Source, credential
from providers import http, registry
from providers.errors import KeyRefused, ProviderError
from providers.reach import Reached, reach, reach_all

NOT_SET_UP = "PROVIDER_NOT_SET_UP"
_TIMEOUT_S = (5.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of it. `is_good` None: it cannot be told; `code` then says why, or is None where nobody could ask."""

    provider: str
    source: Source | None
    is_good: bool | None
    code: str | None = None
    message: str = ""


def check(provider: str, *, owner_id: int | None, used_for: str, source: Source | None = None) -> Checked:
    """Try the key that a run of this owner would be made with, or that of `source`.

    Raises UnknownName.
    """
    try:
        found = credential(provider, owner_id=owner_id, use=Use(why="test", used_for=used_for), source=source)
    except KeyRefused as exc:
        return Checked(provider=provider, source=None, is_good=False, code=exc.reason, message=exc.detail)
    adapter = registry.provider(provider)
    if adapter.self_hosted and not adapter.base_url:
        message = f"Nobody has said where it is: set {registry.base_url_variable(provider)}."
        return Checked(provider=provider, source=None, is_good=None, code=NOT_SET_UP, message=message)
    try:
        is_told = http.hold(adapter.check_key(key=found.key.reveal()), timeout_s=_TIMEOUT_S)
    except KeyRefused as exc:
        return Checked(provider=provider, source=found.source, is_good=False, code=exc.reason, message=exc.detail)
    except ProviderError as exc:
        return Checked(provider=provider, source=found.source, is_good=None, code=exc.reason, message=exc.detail)
    return Checked(provider=provider, source=found.source, is_good=True if is_told else None)


def reach_with_keys(providers: Iterable[str], *, owner_id: int, used_for: str) -> dict[str, Reached]:
    """Whether each answers, asked all at once, where there is one with the key that this owner's run would use.

    Raises UnknownName.
    """
    talks, locked = {}, {}
    for name in providers:
        key = ""
        try:
            key = credential(name, owner_id=owner_id, use=Use(why="test", used_for=used_for)).key.reveal()
        except KeyRefused as exc:
            if exc.reason != "KEY_MISSING":
                locked[name] = exc
        talks[name] = reach(registry.provider(name), key=key)
    reached = reach_all(talks)
    for name, why in locked.items():
        reached[name] = replace(reached[name], code=why.reason, message=why.detail)
    return reached
