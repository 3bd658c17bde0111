"""Is there room for one more job of an account? Decided where jobs are counted, one submission after the other.

Whoever has less than an even share of an account's jobs goes before those who have more, so that a thousand jobs of
one tenant never keep another's out.
"""

from decimal import Decimal

from django.db import connection

from runs.limits import Limits
from runs.models import Attempt
from runs.states import WaitReason

_LOCK = "SELECT 1 FROM provider_accounts WHERE key = %s FOR UPDATE"
_COUNT = """
    SELECT tenant, count(*) FILTER (WHERE status <> 'planned'), count(*) FILTER (WHERE status = 'planned')
    FROM attempts
    WHERE account = %s AND status IN ('accepted', 'canceling', 'planned', 'submitting', 'unknown')
    GROUP BY tenant"""
_SPENT = """
    SELECT coalesce(sum(coalesce(actual_usd, reserved_usd)), 0) FROM attempts
    WHERE account = %s AND status <> 'planned'
        AND submitted_at >= date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'"""


def refuse(attempt: Attempt, account: str, limits: Limits) -> WaitReason | None:
    """Why the account has no room for the attempt now; None where it has.

    Inside the transaction in which the attempt is submitted: the account stays locked until that is committed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [account])
        if limits.jobs_in_flight is not None:
            cursor.execute(_COUNT, [account])
            rows = cursor.fetchall()
            busy = {tenant: jobs for tenant, jobs, _ in rows}
            waiting = {tenant for tenant, _, planned in rows if planned}
            if not _has_room(attempt.tenant, busy, waiting, limits.jobs_in_flight):
                return WaitReason.PROVIDER_LIMIT
        if limits.day_cap_usd is not None:
            cursor.execute(_SPENT, [account])
            spent: Decimal = cursor.fetchone()[0]
            if spent + attempt.quote_usd > limits.day_cap_usd:
                return WaitReason.BUDGET
    return None


def _has_room(tenant: int, busy: dict[int, int], waiting: set[int], jobs: int) -> bool:
    if sum(busy.values()) >= jobs:
        return False
    share = max(jobs // len({tenant, *waiting, *(one for one, count in busy.items() if count)}), 1)
    if busy.get(tenant, 0) < share:
        return True
    return not any(busy.get(other, 0) < share for other in waiting - {tenant})
