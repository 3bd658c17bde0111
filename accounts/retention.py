"""For how long runs are kept after their end. The operator says at most how long; an owner may choose less."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from accounts.models import Retention
from core.errors import BadInput, Problem

LONGEST = 36_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """`days` is what the owner chose, `most_days` what the operator allows; None: for ever."""

    days: int | None
    most_days: int | None

    @property
    def effective_days(self) -> int | None:
        """After how many days a run is deleted that is not marked to be kept; None: never."""
        return min((days for days in (self.days, self.most_days) if days is not None), default=None)


def kept_by(user: User) -> Kept:
    """How long that owner's runs are kept."""
    days = Retention.objects.filter(user_id=user.pk).values_list("days", flat=True).first()
    return Kept(days=days, most_days=most_days())


def choose(user: User, days: int | None) -> Kept:
    """The owner's choice from now on; None takes it back. Raises BadInput for more than the operator allows."""
    most = most_days() or LONGEST
    if days is not None and not 1 <= days <= most:
        message = f"days is from 1 to {most:,}, or null."
        raise BadInput(message, problems=[Problem(code="RETENTION_TOO_LONG", message=message, path="days")])
    if days is None:
        Retention.objects.filter(user_id=user.pk).delete()
    else:
        Retention.objects.update_or_create(user_id=user.pk, defaults={"days": days})
    return kept_by(user)


def most_days() -> int | None:
    """What the operator allows; None: for ever."""
    return settings.ZAP_RETENTION_DAYS or None
