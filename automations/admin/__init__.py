"""The operators' door to what starts runs without a person."""

from automations.admin import dashboard, firings, orders

__all__ = ["dashboard", "firings", "orders"]
