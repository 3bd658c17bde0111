"""What changed between two versions of a recipe, or between the newest and its author's draft."""

from difflib import unified_diff
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from web.ask import Answer, read
from web.guard import refuse, show

DRAFT = "draft"


@require_safe
def versions(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Two texts line by line: `?from=` and `?to=` choose them; without, the newest and the one before."""
    newest = read(request, f"/api/zaps/{slug}")
    if not newest.ok:
        return refuse(request, newest)
    zap, last = newest.body, newest.body["version"]
    has_draft = last > 0 and zap["status"] == DRAFT and _is_theirs(request, zap)
    to = request.GET.get("to") or str(last)
    since = request.GET.get("from") or str(last if to == DRAFT else max(int(to) - 1, 1) if to.isdecimal() else 1)
    texts = []
    for wanted in (since, to):
        answer = _read(request, slug, "" if last == 0 else wanted)
        if not answer.ok:
            return refuse(request, answer)
        texts.append(_whole(answer.body))
    context = {
        "zap": zap, "numbers": [*(str(number) for number in range(1, last + 1)), *([DRAFT] if has_draft else [])],
        "since": since, "to": to, "lines": _differences(*texts),
    }  # fmt: skip
    return show(request, "web/versions.html", context)


def _read(request: HttpRequest, slug: str, wanted: str) -> Answer:
    asked = {DRAFT: "true"} if wanted == DRAFT else {"version": wanted}
    return read(request, f"/api/zaps/{slug}", **asked)


def _is_theirs(request: HttpRequest, zap: dict[str, Any]) -> bool:
    return request.user.is_authenticated and (request.user.is_staff or zap["authorId"] == str(request.user.pk))


def _whole(zap: dict[str, Any]) -> list[str]:
    """A recipe and its prompts as one text."""
    files = [("Zap.md", zap["source"]), *sorted(zap["prompts"].items())]
    return [line for path, text in files for line in (f"── {path}", *text.splitlines())]


def _differences(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Lines with what became of them: added, removed, same, or gap where alike ones are left out."""
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
    lines = list(unified_diff(old, new, lineterm="", n=3))[2:]
    return [(kinds[line[0]], "" if line[0] == "@" else line[1:]) for line in lines]
