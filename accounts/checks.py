"""System checks: what is legal, but will not work. Each says what to do."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import DatabaseError

from accounts.models import Secret


def check_vault(
    app_configs: Sequence[Any] | None, databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Keys are stored, and nothing can read them. Looks into the database, so only where a command asks for that."""
    if settings.ZAP_SECRET_KEYS or not databases:
        return []
    try:
        is_needed = Secret.objects.exists()
    except DatabaseError:  # the first migration comes before the table
        return []
    if not is_needed:
        return []
    return [
        Error(
            "Providers' keys are stored, but ZAP_SECRET_KEYS is not set: no live run can use them.",
            hint="Set ZAP_SECRET_KEYS to what they were encrypted with, or delete the rows of the table `secrets`.",
            id="accounts.E001",
        )
    ]
