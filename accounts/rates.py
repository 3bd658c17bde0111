"""How often somebody may do something: so many times a minute, by all processes together.

Counted in Redis. While Redis is away everybody may: a limit that keeps people out because a counter is lost would do
the harm that it is there to prevent, and nothing that costs money is guarded by it: that is counted in the database.
"""

import math
from ipaddress import IPv6Address, ip_address, ip_network

import redis

from core import hints

_WINDOW_MS = 60_000


def wait_s(key: str, *, per_minute: int) -> int:
    """0 when it may be done now, which is counted; else in how many seconds to come back. `per_minute` 0: no limit."""
    if per_minute == 0 or not _HEALTH.is_worth_asking():
        return 0
    name = f"zap:rate:{key}"
    try:
        with hints.client().pipeline() as said:
            said.set(name, 0, nx=True, px=_WINDOW_MS)
            said.incr(name)
            said.pttl(name)
            _, count, left_ms = said.execute()
    except redis.RedisError as exc:
        _HEALTH.failed(exc)
        return 0
    return 0 if count <= per_minute else max(1, math.ceil(left_ms / 1000))


def place(address: str) -> str:
    """What of an address counts: of IPv6 the network, for whoever has one address there has them all."""
    try:
        known = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(ip_network((int(known), 64), strict=False).network_address)
    return str(getattr(known, "ipv4_mapped", None) or known)


_HEALTH = hints.Health("rates=open")
