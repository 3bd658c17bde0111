"""`GET /metrics`: how the house does, for a monitor that asks every few seconds."""

from config.metrics.page import metrics

__all__ = ["metrics"]
