"""Of what somebody wants to be told by mail: of nothing, until they say so."""

from collections.abc import Iterable

from django.conf import settings

from accounts.caller import Caller, Scope
from core.errors import Conflict
from notifications.models import MailWish


class MailUnavailable(Conflict):
    """Mail was asked for where none can be sent."""

    code = "MAIL_UNAVAILABLE"
    title = "No mail can be sent."
    remediation = "The operator sets EMAIL_URL, and the account needs an address."


def events_of(caller: Caller) -> list[str]:
    """Of what the caller is told by mail. Raises CallerUnknown, CallerRefused."""
    caller.require(Scope.READ)
    wish = MailWish.objects.filter(owner=caller.known_user).first()
    return sorted(wish.events) if wish is not None else []


def wish(caller: Caller, events: Iterable[str]) -> None:
    """Tell the caller of these by mail, and of nothing else. Raises CallerUnknown, CallerRefused, MailUnavailable."""
    caller.require(Scope.RUN)
    wanted = sorted(set(events))
    if wanted and not settings.ZAP_MAIL_ON:
        raise MailUnavailable("This server sends no mail.")
    if wanted and not caller.known_user.email:
        raise MailUnavailable("This account has no address for mail.")
    MailWish.objects.update_or_create(owner=caller.known_user, defaults={"events": wanted})


def stop(owner_pk: int) -> None:
    """No more mail of runs. Stopping twice is the same as once."""
    MailWish.objects.filter(owner_id=owner_pk).update(events=[])
