"""Every change of state of a run, its steps and its attempts. Nothing else writes a status.

again      makes a transaction again that the server undid
moving     several moves of one run in one transaction
alone      the three moves of every paid request, a statement each
batches    the drain's moves, hundreds of attempts at once
"""

from runs.transitions.again import again
from runs.transitions.moving import Moves, moving

__all__ = ["Moves", "again", "moving"]
