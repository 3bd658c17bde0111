"""Everything encrypted again with the newest key, so that the older ones can be thrown away."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Secret
from accounts.vault.cipher import Place, SecretUnreadable, fingerprint, seal, unseal

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """How many rows were encrypted again, and which could not be read with any key."""

    count: int
    unreadable: tuple[str, ...] = ()


_FURTHER: list[Callable[[], Rotated]] = []


def further(keeper: Callable[[], Rotated]) -> None:
    """Rooms above that keep secrets of their own, encrypted as the vault's are, have theirs rotated along."""
    _FURTHER.append(keeper)


def rotate_all() -> Rotated:
    """Everything, the secrets of other rooms too. Raises VaultClosed."""
    done = [rotate(), *(keeper() for keeper in _FURTHER)]
    return Rotated(
        count=sum(one.count for one in done), unreadable=tuple(name for one in done for name in one.unreadable)
    )


def rotate(secrets: QuerySet[Secret] | None = None) -> Rotated:
    """Encrypt these secrets, or all, with the first of ZAP_SECRET_KEYS. Raises VaultClosed.

    Somebody who sets a key meanwhile wins: their row is not written over.
    """
    count, unreadable = 0, []
    chosen = Secret.objects.all() if secrets is None else secrets
    for row in chosen.order_by("pk").iterator(chunk_size=_AT_ONCE):
        try:
            count += _rotate(row)
        except SecretUnreadable:
            unreadable.append(f"{row.provider} {row.name} of {row.owner_id or 'the operator'}")
    return Rotated(count=count, unreadable=tuple(unreadable))


def _rotate(row: Secret) -> int:
    place = Place(owner_id=row.owner_id, provider=row.provider, name=row.name, request_ref=row.request_ref)
    value = unseal(row.ciphertext, place)
    unchanged = Secret.objects.filter(pk=row.pk, ciphertext=row.ciphertext)
    return unchanged.update(ciphertext=seal(value, place), fingerprint=fingerprint(value), rotated_at=timezone.now())
