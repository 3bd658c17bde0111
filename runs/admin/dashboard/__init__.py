"""What operators see first: is the work going on, what is stuck, and what does it cost today?"""

from runs.admin.dashboard.page import Part, add, home
from runs.admin.dashboard.tiles import MOST, Fact, Tile, tone_of, up_to_most

__all__ = ["MOST", "Fact", "Part", "Tile", "add", "home", "tone_of", "up_to_most"]
