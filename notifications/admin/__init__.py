"""The operators' door to what goes out."""

from notifications.admin import dashboard, pages

__all__ = ["dashboard", "pages"]
