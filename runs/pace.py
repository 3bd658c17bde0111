"""How fast one account at a provider is asked: so many requests a second, by all processes together.

The beat is kept in Redis. While Redis is away each process keeps it for itself: a little too fast, and never stuck.
"""

import time
from functools import cache
from threading import Lock
from typing import Any

import redis

from core import hints

# The generic cell rate algorithm: one number a key, the moment at which the account would be free of everything
# that it has taken so far.
_TAKE = """
local now = redis.call('TIME')
local t = now[1] + now[2] / 1000000
local beat, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local free_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), t)
local room = math.floor(burst - (free_at - t) / beat + 0.000001)
local granted = math.max(0, math.min(wanted, room))
if granted > 0 then
    free_at = free_at + granted * beat
    redis.call('SET', KEYS[1], string.format('%.6f', free_at), 'PX', math.ceil((free_at - t) * 1000) + 1000)
end
return {granted, string.format('%.6f', math.max(0, free_at - t - (burst - 1) * beat))}
"""


def take(account: str, *, per_second: float, wanted: int = 1) -> tuple[int, float]:
    """How many of `wanted` requests may be sent now, and in how many seconds the next one may.

    A second's worth may go at once, one at least. `per_second` is above 0.
    """
    beat, burst = 1 / per_second, max(per_second, 1.0)
    if _HEALTH.is_worth_asking():
        try:
            granted, wait_s = _script()(keys=[f"zap:pace:{account}"], args=[beat, burst, wanted])
        except redis.RedisError as exc:
            _HEALTH.failed(exc)
        else:
            return int(granted), float(wait_s)
    return _OWN.take(account, beat, burst, wanted)


class _Own:
    """The same, in this process alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._free_at: dict[str, float] = {}

    def take(self, account: str, beat: float, burst: float, wanted: int) -> tuple[int, float]:
        with self._lock:
            now = time.monotonic()
            free_at = max(self._free_at.get(account, 0.0), now)
            granted = max(0, min(wanted, int(burst - (free_at - now) / beat + 1e-6)))
            free_at += granted * beat
            self._free_at[account] = free_at
        return granted, max(0.0, free_at - now - (burst - 1) * beat)


_HEALTH, _OWN = hints.Health("pace=own"), _Own()


@cache
def _script() -> Any:
    return hints.client().register_script(_TAKE)
