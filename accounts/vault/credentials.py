"""Which key a request to a provider is made with: the run's own, else its owner's, else the operator's.

A key is a whole set from one of the three; what one lacks is never taken from another. A job is looked at, fetched and
stopped with a key from the source that it was submitted with, since nobody else's account knows of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from accounts.models import Secret
from accounts.vault import access
from accounts.vault.access import Use
from accounts.vault.cipher import Place, SecretUnreadable, VaultClosed, unseal
from accounts.vault.hidden import Hidden
from accounts.vault.sets import NONE, Sets, fields_of, joined
from core.errors import Refused
from providers.errors import KeyRefused
from providers.registry import PROVIDERS, api_key


class Source(StrEnum):
    """Whose key it is."""

    REQUEST = "request"  #: it came with the run, and is used for that run alone
    CREATOR = "creator"  #: the run's owner keeps it here
    OPERATOR = "operator"  #: the server's own, from the vault or the environment
    NONE = "none"  #: the provider needs none


class KeyMissing(Refused):
    """The caller has no key for a provider, and may not spend the operator's."""

    code = "KEY_MISSING"
    title = "There is no key that this caller may use."
    status = 403
    remediation = (
        "Store yours with `zap keys set PROVIDER` (PUT /api/secrets/{provider}), or send it along as `secrets`. "
        "The operator may also set one for everybody, and says in ZAP_OPERATOR_KEYS_FOR who may spend it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key at hand. `account` stands for the account at the provider, the same for equal keys, and tells nothing."""

    provider: str
    source: Source
    account: str
    key: Hidden = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """Whose key would be used, and which account at the provider that is."""

    source: Source
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    source: Source
    account: str
    rows: tuple[Secret, ...] = field(default=(), repr=False)  # none: the environment's, or no key is needed


def credential(
    provider: str, *, owner_id: int | None, use: Use, request_ref: str = "", source: Source | None = None
) -> Credential:
    """The key for a request on behalf of `owner_id`; that it was decrypted is written down first.

    `request_ref` is the run. `source` is the one of the job's submission, where there was one: then no other is taken,
    and nobody is asked whether the operator's may be spent, since it was. Call it outside of a transaction.

    Raises KeyRefused (KEY_MISSING, SECRET_UNREADABLE, VAULT_CLOSED), and UnknownName for what is no provider.
    """
    found = _find(provider, owner_id=owner_id, request_ref=request_ref, source=source)
    if found is None:
        raise KeyRefused(f"There is no key for {provider} that this run may use.", reason="KEY_MISSING")
    if not found.rows:
        key = api_key(provider) if found.source is Source.OPERATOR else ""
        return Credential(provider=provider, source=found.source, account=found.account, key=Hidden(key))
    try:
        values = {row.name: unseal(row.ciphertext, _place(row)) for row in found.rows}
    except (SecretUnreadable, VaultClosed) as exc:  # to whoever asks a provider, no key at all
        raise KeyRefused(exc.detail, reason=exc.code) from None
    access.note(found.rows[0], source=found.source, use=use)
    key = joined(provider, values)
    return Credential(provider=provider, source=found.source, account=found.account, key=Hidden(key))


def source_for(
    provider: str, *, owner_id: int | None, request_ref: str = "", source: Source | None = None
) -> Source | None:
    """Whose key `credential` would take; None where there is none. Nothing is decrypted. Raises UnknownName."""
    found = _find(provider, owner_id=owner_id, request_ref=request_ref, source=source)
    return found.source if found else None


def prospect_for(provider: str, *, owner_id: int | None) -> Prospect | None:
    """What a run of this owner would be made with; None where there is no key. As `source_for`."""
    found = _find(provider, owner_id=owner_id, request_ref="", source=None)
    return Prospect(source=found.source, account=found.account) if found else None


def require(providers: Iterable[str], *, owner_id: int | None, request_ref: str = "", sent: Sets = NONE) -> None:
    """Raises KeyMissing, naming every provider for which the caller has no key and may spend none.

    `sent` is what the request carries; `request_ref` the run that it goes on with, where there is one already.
    """
    missing = sorted(
        name
        for name in set(providers)
        if name not in sent and source_for(name, owner_id=owner_id, request_ref=request_ref) is None
    )
    if missing:
        raise KeyMissing(f"There is no key for {', '.join(missing)} that you may use.", providers=missing)


def may_spend_operator_keys(owner_id: int | None) -> bool:
    """Whether the operator allowed it. That a live run needs a login at all is its door's business."""
    policy = settings.ZAP_OPERATOR_KEYS_FOR
    if policy == "everyone":
        return True
    allowed = Q(is_staff=True)
    if policy == "allowed":
        allowed |= Q(operator_key_grant__isnull=False)
    return owner_id is not None and User.objects.filter(allowed, pk=owner_id, is_active=True).exists()


def _find(provider: str, *, owner_id: int | None, request_ref: str, source: Source | None) -> _Found | None:
    kind, names = PROVIDERS.get(provider), fields_of(provider)
    if not names and not kind.self_hosted:
        return _Found(source=Source.NONE, account="none")
    # Whoever runs the machine decides who works on it: there, a caller's own key opens nothing.
    order = [Source.OPERATOR] if kind.self_hosted else [Source.REQUEST, Source.CREATOR, Source.OPERATOR]
    kept = _kept(provider, owner_id, request_ref)
    for candidate in order if source is None else [source]:
        found = _whole(provider, candidate, kept.get(candidate, []))
        if found and (candidate is not Source.OPERATOR or source or may_spend_operator_keys(owner_id)):
            return found
    return None


def _whole(provider: str, source: Source, rows: list[Secret]) -> _Found | None:
    """What is kept there, unless it lacks what makes it a key; of the operator's, else what the environment holds."""
    if {row.name for row in rows}.issuperset(fields_of(provider)[:1]) and rows:
        return _Found(source=source, account=rows[0].account, rows=tuple(rows))
    if source is Source.OPERATOR and _is_in_environment(provider):
        return _Found(source=source, account=f"env:{provider}")
    return None


def _kept(provider: str, owner_id: int | None, request_ref: str) -> dict[Source, list[Secret]]:
    whose = Q(owner_id=None)
    if owner_id is not None:
        whose |= Q(owner_id=owner_id, request_ref__in={"", request_ref})
    kept: dict[Source, list[Secret]] = {}
    for row in Secret.objects.filter(whose, provider=provider):
        own = Source.REQUEST if row.request_ref else Source.CREATOR
        kept.setdefault(Source.OPERATOR if row.owner_id is None else own, []).append(row)
    return kept


def _is_in_environment(provider: str) -> bool:
    try:
        api_key(provider)
    except KeyRefused:
        return False
    return True


def _place(row: Secret) -> Place:
    return Place(owner_id=row.owner_id, provider=row.provider, name=row.name, request_ref=row.request_ref)
