"""What there is to make: every recipe that the visitor may see, with a picture each."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from web import posters
from web.ask import read
from web.guard import refuse, show

_PAGE = "24"


@require_safe
def gallery(request: HttpRequest) -> HttpResponseBase:
    """The recipes by slug; `?query=` searches, `?cursor=` goes on."""
    query = request.GET.get("query", "").strip()
    answer = read(request, "/api/zaps", query=query, limit=_PAGE, cursor=request.GET.get("cursor", ""))
    if not answer.ok:
        return refuse(request, answer)
    cards = [card(zap) for zap in answer.body["zaps"]]
    tags = sorted({tag for zap in cards for tag in zap["tags"] if len(tag) > 2})
    context = {"cards": cards, "query": query, "tags": tags, "next_cursor": answer.body["nextCursor"]}
    return show(request, "web/gallery.html", context)


@require_safe
def poster(request: HttpRequest, slug: str) -> HttpResponse:
    """The drawn picture of a recipe. It says nothing of the recipe, so that it is no secret either."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return HttpResponse(posters.draw(slug), content_type="image/svg+xml", headers=headers)


def card(zap: dict[str, Any]) -> dict[str, Any]:
    """A recipe of the interface, with its poster: its own where it is ours, for no other site shall learn who looks."""
    hero = zap["heroAssetUrl"] or ""
    ours = hero.startswith("/api/assets/") or bool(
        settings.ZAP_PUBLIC_URL and hero.startswith(f"{settings.ZAP_PUBLIC_URL.rstrip('/')}/api/assets/")
    )
    return {**zap, "poster": hero if ours else f"/zaps/{zap['slug']}/poster.svg"}
