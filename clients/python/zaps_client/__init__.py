"""A server that runs Zaps, asked from Python. `types` is drawn from its OpenAPI document; the rest is a thin caller."""

from zaps_client.caller import Refused, Zaps

__all__ = ["Refused", "Zaps"]
