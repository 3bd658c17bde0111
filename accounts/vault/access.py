"""Who used which key, and why. The log says nothing of the key itself."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from accounts.models import Secret, SecretAccess


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Why a key is needed. `why` is one word: submit, poll, settle, cancel, webhook or test."""

    why: str
    used_for: str  # the principal, as the API names it
    run_id: str = ""
    step_id: str = ""
    attempt: int | None = None


def note(secret: Secret, *, source: str, use: Use) -> None:
    """Write it down."""
    SecretAccess.objects.create(
        owner_id=secret.owner_id,
        provider=secret.provider,
        source=str(source),
        account=secret.account,
        used_for=use.used_for,
        why=use.why,
        run_id=use.run_id,
        step_id=use.step_id,
        attempt=use.attempt,
    )


def purge() -> int:
    """Forget what is older than ZAP_SECRET_LOG_DAYS; returns how many rows."""
    return SecretAccess.objects.filter(at__lt=Now() - timedelta(days=settings.ZAP_SECRET_LOG_DAYS)).delete()[0]
