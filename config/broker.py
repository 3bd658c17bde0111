"""kombu's Redis transport, keeping its client.

kombu 5.7 makes a new redis-py client for every message it sends, takes and acknowledges. With redis-py 8 making one
costs several times what the call costs: it was a sixth of a worker's processor time.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """One client a connection pool, as redis-py means it."""

    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # kombu carries no types
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class Transport(redis.Transport):
    """See the module."""

    Channel = Channel
