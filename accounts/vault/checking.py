"""Whether a provider takes a key, asked by one call that costs nothing."""

from dataclasses import dataclass

from accounts.vault.access import Use
from accounts.vault.credentials import Source, credential
from providers import http, registry
from providers.errors import KeyRefused, ProviderError

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
    talk = registry.provider(provider).check_key(key=found.key.reveal())
    try:
        is_told = http.hold(talk, timeout_s=_TIMEOUT_S)
    except KeyRefused as exc:
        return Checked(provider=provider, source=found.source, is_good=False, code=exc.reason, message=exc.detail)
    except ProviderError as exc:
        return Checked(provider=provider, source=found.source, is_good=None, code=exc.reason, message=exc.detail)
    return Checked(provider=provider, source=found.source, is_good=True if is_told else None)
