"""Leaving: an account goes, and with it everything that is about the person; the money that moved stays on record.

parts      what each app holds of an account, and how it is taken away or handed out
"""

from accounts.leaving.parts import Part, register

__all__ = ["Part", "register"]
