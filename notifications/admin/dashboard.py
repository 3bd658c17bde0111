"""What operators see first of webhooks and mails that go out: what waits, what was given up."""

from datetime import timedelta

from django.db import connection
from django.urls import reverse

from core.ledger import span
from runs.admin.dashboard import MOST, Fact, Part, Tile, add, tone_of, up_to_most

# Each looks at no more rows than it counts, and an index leads to them: the oldest that wait, the newest others.
_ALL = """
    SELECT waiting.*, failed.*, off.*
    FROM (SELECT count(*), count(*) FILTER (WHERE tries > 0),
            extract(epoch FROM statement_timestamp() - min(happened_at))::float
        FROM (SELECT tries, happened_at FROM deliveries WHERE status = 'waiting' ORDER BY id LIMIT %(most)s) AS oldest
    ) AS waiting, (SELECT count(*) FILTER (WHERE ended_at > statement_timestamp() - interval '1 day')
        FROM (SELECT ended_at FROM deliveries WHERE status = 'failed' ORDER BY id DESC LIMIT %(most)s) AS newest
    ) AS failed, (SELECT count(*)
        FROM (SELECT FROM webhook_endpoints WHERE NOT is_on AND off_reason = 'failing' LIMIT %(most)s) AS given_up
    ) AS off"""
_CARE_S, _BAD_S = 15 * 60, 6 * 3600  # a receiver that is down for minutes is no trouble of ours


def deliveries() -> list[Tile]:
    """What waits to go out and since when, and what was given up; each counted up to a thousand."""
    with connection.cursor() as cursor:
        cursor.execute(_ALL, {"most": MOST + 1})
        waiting, tried, oldest_s, failed, off = cursor.fetchone()
    listed, receivers = (reverse(f"admin:notifications_{name}_changelist") for name in ("delivery", "endpoint"))
    facts = [
        Fact(name="waiting", value=up_to_most(waiting), url=f"{listed}?status=waiting"),
        Fact(name="of these tried in vain", value=up_to_most(tried), tone="care" * bool(tried)),
        Fact(
            name="oldest",
            value=span(timedelta(seconds=oldest_s)) if waiting else "nothing waits",
            tone=tone_of(oldest_s or 0, care=_CARE_S, bad=_BAD_S),
        ),
        Fact(
            name="given up, last day",
            value=up_to_most(failed),
            tone="care" * bool(failed),
            url=f"{listed}?status=failed",
        ),
        Fact(name="receivers turned off for failing", value=up_to_most(off), url=f"{receivers}?off_reason=failing"),
    ]
    return [Tile(title="Webhooks and mails", facts=facts)]


add(Part(title="Webhooks and mails", permission="notifications.view_delivery", read=deliveries))
