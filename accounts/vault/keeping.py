"""Set, list and take back. A value that was set is never shown again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.db import transaction

from accounts.models import Secret
from accounts.vault.cipher import Place, fingerprint, fingerprints, seal
from accounts.vault.sets import Sets, fields_of, read_set
from core.errors import NotFound
from core.ids import new_id
from providers.registry import PROVIDERS

_LONG_ENOUGH = 16  # four characters of a shorter value would say too much of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """What may be shown of one value."""

    name: str
    last_four: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedSet:
    """What may be shown of a provider's key. `request_ref` names the run that it was sent along with, or is ""."""

    provider: str
    request_ref: str
    fields: tuple[Mask, ...]
    set_by: str
    created_at: datetime
    updated_at: datetime
    rotated_at: datetime | None


def put(provider: str, given: object, *, owner_id: int | None, by: str) -> None:
    """Keep a provider's key, in place of the one there was. `owner_id` None is the operator.

    Raises NotFound for a provider that there is not, BadInput for what is no key of it, and VaultClosed.
    """
    values = read_set(provider, given, is_operator=owner_id is None)
    _write(provider, values, owner_id=owner_id, by=by, request_ref="")


@transaction.atomic
def keep_for_request(sets: Sets, *, request_ref: str, owner_id: int, by: str) -> None:
    """Keep what a request carried, for the run `request_ref` alone. Call it in the transaction that makes the run."""
    for provider, values in sorted(sets.by_provider.items()):
        _write(provider, values, owner_id=owner_id, by=by, request_ref=request_ref)


def masked(owner_id: int | None) -> list[MaskedSet]:
    """Everything that is kept for an owner, or for the operator, by provider."""
    rows = Secret.objects.filter(owner_id=owner_id).defer("ciphertext").order_by("provider", "request_ref", "name")
    groups = groupby(rows, key=lambda row: (row.provider, row.request_ref))
    return [_mask(list(group)) for _, group in groups]


def take_back(provider: str, *, owner_id: int | None) -> None:
    """Delete a provider's key. Where there is none, nothing happens. Raises NotFound for what never was a provider."""
    rows = Secret.objects.filter(owner_id=owner_id, provider=provider, request_ref="")
    if not rows.delete()[0] and provider not in PROVIDERS:
        raise NotFound("There is no such provider.")


def take_back_of_request(request_ref: str, *, owner_id: int) -> None:
    """Delete what was sent along with that run of the owner's."""
    Secret.objects.filter(owner_id=owner_id, request_ref=request_ref).exclude(request_ref="").delete()


def requests_with_keys() -> list[str]:
    """The runs that still have keys of their own."""
    return sorted(Secret.objects.exclude(request_ref="").values_list("request_ref", flat=True).distinct())


def forget_requests(request_refs: Iterable[str]) -> int:
    """Delete what was sent along with those runs; returns how many values that were."""
    return Secret.objects.filter(request_ref__in=list(request_refs)).exclude(request_ref="").delete()[0]


@transaction.atomic
def _write(provider: str, values: Mapping[str, str], *, owner_id: int | None, by: str, request_ref: str) -> None:
    account = _account_of(provider, values[fields_of(provider)[0]])
    rows = [
        Secret(
            owner_id=owner_id, provider=provider, name=name, request_ref=request_ref, account=account,
            ciphertext=seal(value, Place(owner_id=owner_id, provider=provider, name=name, request_ref=request_ref)),
            last_four=value[-4:] if len(value) >= _LONG_ENOUGH else "",
            fingerprint=fingerprint(value), set_by=by,
        )
        for name, value in sorted(values.items())
    ]  # fmt: skip
    Secret.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["owner", "provider", "name", "request_ref"],
        update_fields=["account", "ciphertext", "last_four", "fingerprint", "set_by", "updated_at"],
    )
    kept = Secret.objects.filter(owner_id=owner_id, provider=provider, request_ref=request_ref)
    kept.exclude(name__in=list(values)).delete()


def _account_of(provider: str, key: str) -> str:
    """The account that this key was known to open already, whoever set it; else a new name."""
    same = Secret.objects.filter(provider=provider, fingerprint__in=fingerprints(key))
    return same.values_list("account", flat=True).first() or new_id("acct")


def _mask(rows: list[Secret]) -> MaskedSet:
    first = rows[0]
    rotated = [row.rotated_at for row in rows if row.rotated_at is not None]
    return MaskedSet(
        provider=first.provider,
        request_ref=first.request_ref,
        fields=tuple(Mask(name=row.name, last_four=row.last_four, fingerprint=row.fingerprint) for row in rows),
        set_by=first.set_by,
        created_at=min(row.created_at for row in rows),
        updated_at=max(row.updated_at for row in rows),
        rotated_at=max(rotated, default=None),
    )
