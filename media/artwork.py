"""What mock media look like: soft lights over a dark ground, and a title set in Pillow's own font."""

import colorsys
import math
import random
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from media.errors import RenderFailed

_RGB = tuple[int, int, int]

_CAPTION = "ZAPS  ·  MOCK"
_MAX_LINES = 3
_WHITE = (255, 255, 255)
_PUNCTUATION = str.maketrans("“”„’‘–—·×", '"""\'\'--.x')  # noqa: RUF001 (these are the ambiguous ones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """A glow that moves on an ellipse. Lengths are in parts of the picture's longer side."""

    color: _RGB
    x: float
    y: float
    radius: float
    sway: float
    phase: float  # of a full turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The ground's two colours and the lights over it."""

    top: _RGB
    bottom: _RGB
    lights: tuple[Light, ...]

    @classmethod
    def from_seed(cls, seed: str) -> "Scene":
        """Always the same scene for the same seed; another hue for another."""
        chance = random.Random(f"scene {seed}")  # noqa: S311 (colours, not secrets)
        hue = chance.random()
        second = hue + chance.choice((-1, 1)) * chance.uniform(0.09, 0.2)
        accent = hue + chance.uniform(0.42, 0.58)
        places = [(0.12, 0.15), (0.85, 0.2), (0.75, 0.9), (0.3, 0.8)]
        chance.shuffle(places)
        colors = (
            _color(hue, 0.72, 0.92),
            _color(second, 0.7, 0.9),
            _color(accent, 0.55, 0.95),
            _color(second, 0.5, 0.8),
        )
        lights = tuple(
            Light(
                color=color,
                x=x + chance.uniform(-0.1, 0.1),
                y=y + chance.uniform(-0.1, 0.1),
                radius=chance.uniform(0.42, 0.62) * size,
                sway=chance.uniform(0.07, 0.14),
                phase=chance.random(),
            )
            for (x, y), color, size in zip(places, colors, (1.15, 1.0, 0.7, 0.8), strict=True)
        )
        return cls(top=_color(second, 0.7, 0.34), bottom=_color(hue, 0.75, 0.16), lights=lights)


def draw_scene(scene: Scene, *, width: int, height: int, turn: float) -> Image.Image:
    """The scene with its lights at `turn` (0..1, a full round)."""
    picture = _ground(scene.top, scene.bottom, width, height).copy()
    longest = max(width, height)
    for light in scene.lights:
        angle = 2 * math.pi * (turn + light.phase)
        x = light.x * width + light.sway * longest * math.cos(angle)
        y = light.y * height + light.sway * longest * math.sin(angle) * 0.7
        mask = _glow(width, height, x=x, y=y, radius=light.radius * longest)
        picture.paste(light.color, mask=mask)
    return picture


def draw_label(label: str, *, width: int, height: int) -> Image.Image:
    """A transparent picture with the title in it, as large as fits, and a small caption over it."""
    margin = round(min(width, height) * 0.09)
    lines, font = _fit(_drawable(label), width - 2 * margin, height - 3 * margin)
    caption_font = _font(max(9, min(width, height) // 24))
    text = Image.new("RGBA", (width, height), (*_WHITE, 0))
    draw = ImageDraw.Draw(text)
    step = _line_height(font)
    top = height - margin - step * len(lines)
    for number, line in enumerate(lines):
        draw.text((margin, top + number * step), line, fill=(*_WHITE, 255), font=font)
    draw.text((margin, margin * 0.8), _CAPTION, fill=(*_WHITE, 170), font=caption_font)
    shade = text.getchannel("A").filter(ImageFilter.GaussianBlur(max(2, min(width, height) / 60)))
    card = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    card.putalpha(shade.point(lambda alpha: alpha * 0.55))
    card.alpha_composite(text)
    return card


def _color(hue: float, saturation: float, value: float) -> _RGB:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


@lru_cache(maxsize=8)
def _ground(top: _RGB, bottom: _RGB, width: int, height: int) -> Image.Image:
    ramp = Image.linear_gradient("L").resize((width, height), Image.Resampling.BICUBIC)
    return Image.composite(Image.new("RGB", ramp.size, bottom), Image.new("RGB", ramp.size, top), ramp)


@lru_cache(maxsize=1)
def _soft_disc() -> Image.Image:
    """A disc of 256 pixels, bright in the middle, that ends without an edge."""
    disc = Image.radial_gradient("L")  # 0 in the middle, 255 at the corners and beyond
    fall = [round(255 * 0.92 * (0.5 + 0.5 * math.cos(math.pi * min(1.0, level / 180)))) for level in range(256)]
    return disc.point(fall)


def _glow(width: int, height: int, *, x: float, y: float, radius: float) -> Image.Image:
    """Where a light falls. Placed by parts of a pixel: whole ones would make a slow light jump."""
    scale = 128 / radius
    matrix = (scale, 0, 128 - x * scale, 0, scale, 128 - y * scale)
    return _soft_disc().transform((width, height), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)


def _drawable(label: str) -> str:
    """What the built-in font has shapes for: plain Latin. The rest would come out as crossed boxes."""
    plain = unicodedata.normalize("NFKD", label).translate(_PUNCTUATION).encode("ascii", "ignore").decode()
    return " ".join("".join(letter if letter.isprintable() else " " for letter in plain).split())


def _fit(text: str, width: int, height: int) -> tuple[list[str], ImageFont.FreeTypeFont]:
    """The text in up to three lines, in the largest size that holds them; a longer text is cut."""
    size = max(10, min(width // 5, height // 3))
    while True:
        font = _font(size)
        lines = _wrap(text, font, width)
        if len(lines) <= _MAX_LINES and len(lines) * _line_height(font) <= height and _widest(lines, font) <= width:
            return lines, font
        if size <= max(10, min(width, height) // 14):
            return [_cut(line, font, width) for line in lines[:_MAX_LINES]], font
        size = size * 9 // 10


def _wrap(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def _cut(line: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    while line and font.getlength(line) > width:
        line = line.rstrip("…")[:-1].rstrip() + "…"
    return line


def _widest(lines: list[str], font: ImageFont.FreeTypeFont) -> float:
    return max((font.getlength(line) for line in lines), default=0)


def _line_height(font: ImageFont.FreeTypeFont) -> int:
    ascent, descent = font.getmetrics()
    return round((ascent + descent) * 1.02)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size)
    if isinstance(font, ImageFont.FreeTypeFont):
        return font
    raise RenderFailed("Pillow was built without FreeType, so no title can be drawn; install its wheel.")
