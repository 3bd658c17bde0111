"""Leaving: an account goes, and with it everything that is about the person; the money that moved stays on record.

parts      what each app holds of an account, and how it is taken away or handed out
departing  closing an account, and emptying it part by part
export     all of it in one file, for the person
own        what this app holds itself

Only the parts stand here, so that an app can join in before the tables are known.
"""

from accounts.leaving.parts import HOLDS, LAST, STARTS_WORK, WORKS, Part, register

__all__ = ["HOLDS", "LAST", "STARTS_WORK", "WORKS", "Part", "register"]
