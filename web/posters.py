"""A picture for every recipe that has none of its own: drawn from its slug, always the same."""

import hashlib
from random import Random

_WIDTH, _HEIGHT = 640, 360


def draw(slug: str) -> str:
    """An SVG landscape of 640 x 360: a sky, a light in it, and three ranges of hills."""
    dice = Random(hashlib.sha256(slug.encode()).digest())  # noqa: S311 (nothing hangs on it)
    hue = dice.randrange(360)
    sky, glow, land = hue, (hue + dice.choice((-35, -20, 25, 40, 60))) % 360, (hue + dice.randrange(-20, 20)) % 360
    sun_x, sun_y, sun_r = dice.randrange(120, 520), dice.randrange(80, 190), dice.randrange(34, 78)
    hills = "".join(
        f'<path d="{_hill(dice, top=190 + 52 * row)}" fill="hsl({land} {34 - 4 * row}% {52 - 14 * row}%)"/>'
        for row in range(3)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">'
        f'<defs><linearGradient id="sky" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="hsl({sky} 48% 42%)"/>'
        f'<stop offset="1" stop-color="hsl({glow} 72% 82%)"/></linearGradient></defs>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="url(#sky)"/>'
        f'<circle cx="{sun_x}" cy="{sun_y}" r="{sun_r * 2}" fill="hsl({glow} 90% 90%)" opacity=".22"/>'
        f'<circle cx="{sun_x}" cy="{sun_y}" r="{sun_r}" fill="hsl({glow} 95% 92%)" opacity=".92"/>{hills}</svg>'
    )


def _hill(dice: Random, *, top: int) -> str:
    """A closed curve from the left edge to the right one, and along the bottom."""
    heights = [top + dice.randrange(-34, 34) for _ in range(5)]
    step = _WIDTH // 4
    curve = f"M0 {heights[0]}"
    for index in range(1, 5):
        x, half = index * step, step // 2
        before, here = heights[index - 1], heights[index]
        curve += f" C{x - half} {before} {x - half} {here} {x} {here}"
    return f"{curve} V{_HEIGHT} H0 Z"
