"""Where the boxes of a pipeline stand: columns from left to right, each step right of everything that it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 192, 60
GAP_X, GAP_Y, MARGIN = 56, 20, 6
LANE = 8  # the height of a line that passes a column

Spot = tuple[str] | tuple[str, str, int]  # a step, or where the line between two passes a column


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A step's place, in pixels from the top left corner."""

    step_id: str
    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The whole drawing. `edges` are SVG paths, each with the step that it leaves and the one that it reaches."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[tuple[str, str, str], ...]


def lay_out(parents: Mapping[str, Sequence[str]]) -> Layout:
    """The drawing of steps by their parents, which stand before them; a parent that is no step is not drawn.

    A line that passes a column has a place there, as a step has, so that it runs between the boxes and not behind them.
    """
    known = {step: [one for one in needs if one in parents] for step, needs in parents.items()}
    ranks: dict[str, int] = {}
    for step, needs in known.items():
        ranks[step] = max((ranks[one] + 1 for one in needs), default=0)
    lines = [(one, step) for step, needs in known.items() for one in needs]
    spots, height = _place(ranks, lines)
    boxes = {step: Box(step_id=step, x=_left(rank), y=spots[step,]) for step, rank in ranks.items()}
    return Layout(
        width=_left(max(ranks.values(), default=0)) + WIDTH + MARGIN,
        height=height,
        boxes=tuple(boxes.values()),
        edges=tuple((_path(start, end, ranks, spots), start, end) for start, end in lines),
    )


def _place(ranks: Mapping[str, int], lines: Sequence[tuple[str, str]]) -> tuple[dict[Spot, int], int]:
    """The top of every spot, and how high the drawing is."""
    columns: list[list[Spot]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    before: dict[Spot, list[Spot]] = {}
    for step, rank in ranks.items():
        columns[rank].append((step,))
        before[step,] = []
    for start, end in lines:
        last: Spot = (start,)
        for rank in range(ranks[start] + 1, ranks[end]):
            lane = (start, end, rank)
            columns[rank].append(lane)
            before[lane] = [last]
            last = lane
        before[end,].append(last)
    heights = [sum(_tall(spot) + GAP_Y for spot in column) - GAP_Y for column in columns]
    tallest = max(*heights, 0)
    middles: dict[Spot, float] = {}
    tops: dict[Spot, int] = {}
    for column, height in zip(columns, heights, strict=True):
        column.sort(key=lambda spot: _mean([middles[one] for one in before[spot]]))
        y = MARGIN + (tallest - height) // 2
        for spot in column:
            tops[spot], middles[spot] = y, y + _tall(spot) / 2
            y += _tall(spot) + GAP_Y
    return tops, tallest + 2 * MARGIN


def _tall(spot: Spot) -> int:
    return HEIGHT if len(spot) == 1 else LANE


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0


def _left(rank: int) -> int:
    return MARGIN + rank * (WIDTH + GAP_X)


def _path(start: str, end: str, ranks: Mapping[str, int], tops: Mapping[Spot, int]) -> str:
    """From the right of one box through its lanes to the left of the other."""
    x, y = _left(ranks[start]) + WIDTH, tops[start,] + HEIGHT // 2
    path = f"M{x} {y}"
    for rank in range(ranks[start] + 1, ranks[end] + 1):
        is_box = rank == ranks[end]
        to_x, to_y = _left(rank), tops[end,] + HEIGHT // 2 if is_box else tops[start, end, rank] + LANE // 2
        half = (x + to_x) // 2
        path += f" C{half} {y} {half} {to_y} {to_x} {to_y}" + ("" if is_box else f" H{to_x + WIDTH}")
        x, y = to_x + WIDTH, to_y
    return path
