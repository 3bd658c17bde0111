"""An account that was told to go: closed at once, emptied as fast as the truth allows, and then a number.

What it holds is taken away part by part, whatever its parts are. Jobs at providers are told to stop and waited for,
since they may still cost money; meanwhile the receipt says what is waited for.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.leaving.parts import parts
from accounts.models import ApiToken, Departure
from accounts.tokens import digest_of, new_secret
from core.errors import Conflict, NotFound

logger = logging.getLogger(__name__)

_AGAIN = timedelta(seconds=30)
_LEASE = timedelta(minutes=10)
_SAID = 300  # characters of a sentence


class AccountLeaving(Conflict):
    """It was told to go already."""

    code = "ACCOUNT_LEAVING"
    title = "This account is being deleted already."
    remediation = "Its receipt says how far that is."


@transaction.atomic
def depart(user_pk: int, *, asked_by: str) -> tuple[Departure, str]:
    """Close the account and begin to empty it. Returns the departure and its receipt, which is not shown again.

    From now on no password, session or key of it opens anything. Raises AccountLeaving.
    """
    user = User.objects.select_for_update().get(pk=user_pk)
    if Departure.objects.filter(user=user).exists():
        raise AccountLeaving
    receipt = new_secret()
    keys = ApiToken.objects.filter(owner=user)
    departure = Departure.objects.create(
        user=user,
        digest=digest_of(receipt),
        asked_by=asked_by,
        principals=[f"user:{user.pk}", *(f"token:{prefix}" for prefix in keys.values_list("prefix", flat=True))],
        waits_for=["It has not begun yet."],
    )
    keys.delete()
    user.is_active = False
    user.set_unusable_password()
    user.save(update_fields=["is_active", "password"])
    departure.refresh_from_db()
    return departure, receipt


def find(receipt: str) -> Departure:
    """The departure whose receipt that is. Raises NotFound."""
    departure = Departure.objects.filter(digest=digest_of(receipt)).first()
    if departure is None:
        raise NotFound("There is no such receipt.")
    return departure


def go_on(*, note: Callable[[str], None] = lambda subject: None) -> int:
    """Take away what can be taken away now, of every account that leaves. Returns how many are gone now.

    `note` is told of each. One that fails stops no other, and comes again.
    """
    gone = 0
    due = Departure.objects.filter(done_at=None, due_at__lte=Now()).order_by("due_at").values_list("pk", "user_id")
    for pk, user_pk in list(due[:20]):
        if not _claim(pk):
            continue
        try:
            waits = _empty(user_pk)
        except Exception:  # its row stays due: whatever it was, somebody must look, and the others must go on
            logger.exception("departure=%s broken", user_pk)
            waits = ["Something failed on our side; it is tried again."]
        if waits:
            said = [sentence[:_SAID] for sentence in waits]
            Departure.objects.filter(pk=pk).update(waits_for=said, due_at=Now() + _AGAIN, lease_until=None)
        else:
            _close(pk, user_pk)
            note(f"user:{user_pk}")
            gone += 1
    return gone


def _claim(pk: int) -> bool:
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    return bool(Departure.objects.filter(free, pk=pk, done_at=None).update(lease_until=Now() + _LEASE))


def _empty(user_pk: int) -> list[str]:
    """What the first part that is not done waits for; [] once nothing is left."""
    for part in parts():
        if waits := list(part.remove(user_pk)):
            return waits
    return []


@transaction.atomic
def _close(pk: int, user_pk: int) -> None:
    """The user becomes a number: the ledger, the budgets and the audit trail name it."""
    User.objects.filter(pk=user_pk).update(
        username=f"deleted-{user_pk}", first_name="", last_name="", email="", last_login=None, is_staff=False,
        is_superuser=False,
    )  # fmt: skip
    User.groups.through.objects.filter(user_id=user_pk).delete()
    User.user_permissions.through.objects.filter(user_id=user_pk).delete()
    Departure.objects.filter(pk=pk).update(waits_for=[], due_at=None, lease_until=None, done_at=Now())
