"""What this app itself holds of an account: keys, the vault, sessions, answers kept for idempotency keys."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session

from accounts.leaving.parts import LAST, Part
from accounts.models import (
    ApiToken,
    Departure,
    IdempotencyKey,
    OperatorKeyGrant,
    Retention,
    Secret,
    SecretAccess,
)

_AT_ONCE = 500


def _remove(user_pk: int) -> Sequence[str]:
    principals = Departure.objects.values_list("principals", flat=True).get(user_id=user_pk)
    for held in (
        ApiToken.objects.filter(owner_id=user_pk),
        Secret.objects.filter(owner_id=user_pk),
        SecretAccess.objects.filter(owner_id=user_pk),
        OperatorKeyGrant.objects.filter(user_id=user_pk),
        Retention.objects.filter(user_id=user_pk),
        IdempotencyKey.objects.filter(principal__in=principals),
    ):
        held.delete()
    _forget_sessions(user_pk)
    # The audit trail calls what was changed by its name.
    people = ContentType.objects.get_for_model(User)
    LogEntry.objects.filter(content_type=people, object_id=str(user_pk)).update(object_repr=f"user {user_pk}")
    return ()


def _forget_sessions(user_pk: int) -> None:
    """They open nothing any more; what a browser had left in them goes too."""
    theirs = [
        session.pk
        for session in Session.objects.iterator(chunk_size=_AT_ONCE)
        if session.get_decoded().get("_auth_user_id") == str(user_pk)
    ]
    Session.objects.filter(pk__in=theirs).delete()


def _export(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    return {
        "account": _rows(
            User.objects.filter(pk=user_pk), "id username first_name last_name email date_joined last_login"
        ),
        "keys": _rows(
            ApiToken.objects.filter(owner_id=user_pk),
            "name prefix scopes created_at expires_at last_used_at rotated_at revoked_at",
        ),
        "secrets": _rows(
            Secret.objects.filter(owner_id=user_pk), "provider name request_ref last_four set_by created_at updated_at"
        ),
        "secret-accesses": _rows(
            SecretAccess.objects.filter(owner_id=user_pk), "provider source used_for why run_id step_id attempt at"
        ),
        "retention": _rows(Retention.objects.filter(user_id=user_pk), "days"),
    }


def _rows(rows: Any, columns: str) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = rows.order_by("pk").values(*columns.split()).iterator(chunk_size=_AT_ONCE)
    return found


PART = Part(name="accounts", order=LAST, remove=_remove, export=_export)
