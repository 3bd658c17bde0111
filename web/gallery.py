"""What there is to make: every recipe that the visitor may see, with a picture each."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from web.ask import read
from web.guard import refuse, show
from web.posters import poster_of

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


def card(zap: dict[str, Any]) -> dict[str, Any]:
    """A recipe of the interface, with its picture."""
    return {**zap, "poster": poster_of(zap)}
