"""One look at everything that starts runs without a person. Any number may look at once."""

from datetime import datetime

from django.db import connection

from automations.batches import go_on
from automations.due import fire_due
from automations.settle import settle


def look(*, at: datetime | None = None) -> int:
    """What has ended, what is due, what waits for its turn; by the database's clock unless told.

    Returns how many due times and rows were dealt with here.
    """
    at = at or _now()
    settle(at=at)
    return fire_due(at=at) + go_on(at=at)


def _now() -> datetime:
    """One clock for all who look, however wrong their own are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        row: tuple[datetime] = cursor.fetchone()
    return row[0]
