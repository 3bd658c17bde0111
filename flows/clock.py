"""The moment by which leases and due times are compared: the database's, so that no server's clock counts.

Every verb takes `at` for callers that have a clock of their own, a test of what happens in an hour among them.
"""

NOW = "coalesce(%(at)s::timestamptz, statement_timestamp())"

LEASE_MS, MIN_LEASE_MS, MAX_LEASE_MS = 120_000, 10_000, 1_800_000


def lease_ms(wanted: float | None) -> int:
    """How long a lease lasts: two minutes where nobody says, and never under 10 s or above 30 min."""
    if wanted is None:
        return LEASE_MS
    return int(min(max(wanted, MIN_LEASE_MS), MAX_LEASE_MS))
