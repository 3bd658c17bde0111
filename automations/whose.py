"""Whose a standing order is, and in whose name its runs are made."""

from typing import TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from accounts.caller import Caller, CallerRefused, Scope
from accounts.models import ApiToken
from automations.models import Batch, Schedule, Trigger
from automations.models.standing import Standing
from core.errors import NotFound, Refused
from runs.order import Mode, admit

S = TypeVar("S", Schedule, Trigger, Batch)
_KEY = "token:"


class RightLost(Refused):
    """Whoever gave the order may not run this any more."""

    code = "RIGHT_LOST"
    title = "Whoever gave this order may not run it any more."
    status = 403
    remediation = "Its account is closed, or the API key that it was made with has ended: make it again."


def visible(rows: QuerySet[S], caller: Caller) -> QuerySet[S]:
    """What a list shows: one's own; staff see all. Raises CallerUnknown and CallerRefused."""
    caller.require(Scope.READ)
    return rows if caller.is_staff else rows.filter(owner=caller.user)


def find(rows: QuerySet[S], caller: Caller, **name: str) -> S:
    """The one of that id. Raises NotFound where there is none that the caller may see."""
    found = visible(rows, caller).filter(**name).first()
    if found is None:
        raise NotFound(f"There is no {rows.model._meta.verbose_name} {next(iter(name.values()))!r}.")
    return found


def find_to_stop(rows: QuerySet[S], caller: Caller, **name: str) -> S:
    """The same, for its owner or staff to stop it."""
    caller.require(Scope.RUN)
    return find(rows, caller, **name)


def require_giver(order: Standing, caller: Caller) -> None:
    """Raises CallerRefused unless it is the owner, who may also place such an order: it makes others pay else."""
    admit(Mode(order.mode), caller)
    if order.owner_id != caller.known_user.pk:
        raise CallerRefused("Only its owner may change this; staff may stop it.")


def caller_for(order: Standing, *, principal_id: str) -> Caller:
    """Its owner, as whoever makes its runs. `order` is read with its owner.

    An order that was given with an API key ends with that key, and can do no more than it. Raises RightLost.
    """
    scope = Scope.LIVE if order.mode == Mode.LIVE else Scope.RUN
    if not order.owner.is_active or not _key_allows(order, scope):
        raise RightLost
    return Caller(
        user=order.owner,
        principal_id=principal_id,
        scopes=frozenset({Scope.READ, scope}),
        is_staff=order.owner.is_staff,
    )


def _key_allows(order: Standing, scope: Scope) -> bool:
    if not order.made_by.startswith(_KEY):
        return True
    key = ApiToken.objects.filter(prefix=order.made_by.removeprefix(_KEY), owner=order.owner).first()
    return key is not None and key.is_live(at=timezone.now()) and scope in key.scopes
