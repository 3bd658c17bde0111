"""Every change of state of a run, its steps and its attempts. Nothing else writes a status.

moving     several moves of one run in one transaction
alone      the three moves of every paid request, a statement each
bells      who is told of work next
batches    the drain's moves, hundreds of attempts at once
"""

from runs.transitions.moving import Moves, moving

__all__ = ["Moves", "moving"]
