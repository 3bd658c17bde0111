"""Pictures to look at before one plays or reads: of clips, and of recipes.

A recipe shows what its author chose of a run of theirs, or what it was delivered with, or else a landscape that is
drawn from its slug, always the same.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from core.api.problems import answers_problems
from runs import queries
from runs.api.readers import guest_of_plain
from runs.models import Asset
from runs.storage import LARGE
from runs.thumbnails import thumbnail_of
from web.ask import read

_WIDTH, _HEIGHT = 640, 360
_HERO = re.compile(r"/api/assets/([a-z]{2,12}_[0-9a-z]{1,24})/content$")
_DELIVERED = Path(__file__).parent / "static/web/posters"


@answers_problems
@require_safe
def still(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    """The first picture of a clip, or a picture made smaller, to whoever may see its run."""
    return thumbnail_of(queries.get_asset(asset_id, guest_of_plain(request)), longest=LARGE)


@require_safe
def drawn(request: HttpRequest, slug: str) -> HttpResponse:
    """The drawn picture of a recipe. It says nothing of the recipe, so that it is no secret either."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return HttpResponse(draw(slug), content_type="image/svg+xml", headers=headers)


@require_safe
def chosen(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What the author of a recipe chose of a run of theirs, to whoever may see the recipe."""
    zap = read(request, f"/api/zaps/{slug}")
    found = _HERO.search(zap.body["heroAssetUrl"] or "") if zap.ok else None
    asset = Asset.objects.select_related("run").filter(asset_id=found[1]).first() if found else None
    if asset is None or zap.body["authorId"] is None or str(asset.run.owner_id) != zap.body["authorId"]:
        raise Http404
    answer = thumbnail_of(asset, longest=LARGE)
    answer.headers["Cache-Control"] = "private, max-age=300"  # another may be chosen
    return answer


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """Where the icon is, for browsers that ask for it before they have read a page."""
    return HttpResponseRedirect(static("web/icon.svg"), headers={"Cache-Control": "public, max-age=86400"})


def poster_of(zap: dict[str, Any]) -> str:
    """The address of a recipe's picture. Only pictures of ours: no other site shall learn who looks."""
    slug = str(zap["slug"])
    if zap["authorId"] is not None:
        return f"/zaps/{slug}/poster.jpg" if _HERO.search(zap["heroAssetUrl"] or "") else f"/zaps/{slug}/poster.svg"
    return static(f"web/posters/{slug}.svg") if slug in _delivered() else f"/zaps/{slug}/poster.svg"


@cache
def _delivered() -> frozenset[str]:
    return frozenset(file.stem for file in _DELIVERED.glob("*.svg"))


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
