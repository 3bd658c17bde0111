"""Deleting runs: what was given, said and made goes; what it cost, and that it was, stays.

erase      one run, in one transaction; its files are doomed with it
files      the files themselves, afterwards: deleted once nobody else uses them
retention  runs that are older than they are to be kept
of_account what an account that leaves takes with it
"""

from runs.deletion.erase import RunNotOver, delete_run

__all__ = ["RunNotOver", "delete_run"]
