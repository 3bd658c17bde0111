"""What an installation has: room, settings, keys, prices. Imported once Django is set up."""

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.db import DatabaseError

from accounts.models import Secret
from accounts.pricing import book
from accounts.vault.cipher import Place, SecretUnreadable, unseal
from accounts.vault.credentials import Source, source_for
from cli.doctor import machine
from cli.doctor.findings import Finding, Look, fail, ok, warn
from cli.doctor.processes import is_embedded
from providers.contract import Provider
from providers.prices import FREE
from providers.registry import Configured

_SECRETS_AT_MOST = 1000


def storage() -> Iterator[Finding]:
    """Can a file be written, read again and deleted?"""
    content, kept = secrets.token_bytes(16), None
    where = type(storages["default"]).__name__
    try:
        kept = default_storage.save(f"doctor/{secrets.token_hex(8)}", ContentFile(content))
        with default_storage.open(kept) as file:
            is_same = file.read() == content
        default_storage.delete(kept)
    except Exception as exc:  # a bucket raises what it likes, with addresses in its text
        remedy = "Check ZAP_STORAGE_URL, its rights and that it answers; for a folder, who owns it."
        yield fail(
            "storage", f"{where}: a file could not be {'read' if kept else 'written'}: {type(exc).__name__}.", remedy
        )
        return
    if is_same:
        yield ok("storage", f"{where}: a file was written, read and deleted.")
    else:
        yield fail("storage", f"{where}: a file came back as another one.", "Let nothing change files in between.")


def disks() -> Iterator[Finding]:
    """Room in the data folder, for media, and for what is being rendered."""
    media = getattr(default_storage, "location", None)
    folders = [Path(settings.ZAPS_DATA_DIR).resolve(), *([Path(media)] if isinstance(media, (str, Path)) else [])]
    yield from machine.disks(folders)


def system_checks() -> Iterator[Finding]:
    """What is legal and will not work, as `manage.py check --database default` tells it."""
    found = [one for one in _checked() if not one.is_silenced()]
    for one in found:
        tell = fail if one.level >= checks.ERROR else warn
        yield tell("settings", f"{one.id}: {one.msg}", one.hint or "See docs/settings.md.")
    if not found:
        yield ok("settings", "Every setting is one that can work.")
    if settings.DEBUG and not is_embedded():
        yield warn("settings", "DEBUG is on at a server of its own.", "Unset DEBUG where others can reach it.")


def _checked() -> list[checks.CheckMessage]:
    """With those that look into the database, where it answers."""
    try:
        return checks.run_checks(databases=["default"])
    except DatabaseError:
        return checks.run_checks()


def public_url() -> Iterator[Finding]:
    """Without it addresses are paths, and no provider can call us."""
    if settings.ZAP_PUBLIC_URL:
        yield ok("public url", settings.ZAP_PUBLIC_URL)
    elif is_embedded():
        yield ok("public url", "None: addresses are paths, and providers are polled.")
    else:
        remedy = "Set ZAP_PUBLIC_URL to the https address that callers use."
        yield warn("public url", "None: addresses are paths, and no provider can call when a job has ended.", remedy)


def keys() -> Iterator[Finding]:
    """Can what is stored be read, and is there any key to spend?"""
    if not settings.ZAP_SECRET_KEYS:
        remedy = "Set ZAP_SECRET_KEYS; `manage.py rotate_secrets --new-key` prints one."
        yield warn("vault", "ZAP_SECRET_KEYS is not set: nobody can store a key.", remedy)
    else:
        unreadable = sum(not _is_readable(row) for row in Secret.objects.order_by("pk")[:_SECRETS_AT_MOST])
        if unreadable:
            remedy = "Add the value of ZAP_SECRET_KEYS that they were encrypted with, or set those keys again."
            yield fail("vault", f"Of the stored keys, {unreadable} cannot be read.", remedy)
        else:
            yield ok("vault", "What is stored can be read.")
    named = _with_key()
    if named:
        yield ok("provider keys", f"The operator can spend at {', '.join(named)}. `zap providers --check` tries them.")
    else:
        yield ok(
            "provider keys", "The operator has none: mock runs work, live ones need a caller's own (`zap keys set`)."
        )


def _is_readable(row: Secret) -> bool:
    place = Place(owner_id=row.owner_id, provider=row.provider, name=row.name, request_ref=row.request_ref)
    try:
        unseal(row.ciphertext, place)
    except SecretUnreadable:
        return False
    return True


def _with_key() -> list[str]:
    return sorted(one.name for one in Configured() if one.name not in FREE and _has_key(one))


def _has_key(provider: Provider) -> bool:
    """A machine of the operator's own may need none, but must have an address."""
    source = source_for(provider.name, owner_id=None, source=Source.OPERATOR)
    return source is Source.OPERATOR and not (provider.self_hosted and not provider.base_url)


def prices() -> Iterator[Finding]:
    """Live runs by prices that nobody has looked at for long are refused."""
    current, today = book.current(), datetime.now(UTC).date()
    stale = [one for one in current if one.provider not in FREE and current.is_stale(one, today=today)]
    if not stale:
        yield ok("prices", "None is out of date.")
        return
    whose = ", ".join(sorted({one.provider for one in stale}))
    remedy = "`zap prices list` shows them; `zap prices sync` asks those that tell, `zap prices set` takes the rest."
    yield warn("prices", f"{len(stale)} are out of date, of {whose}: live runs of those models are refused.", remedy)


LOOKS: dict[str, Look] = {
    "storage": storage,
    "disk": disks,
    "settings": system_checks,
    "public url": public_url,
    "keys": keys,
    "prices": prices,
}
