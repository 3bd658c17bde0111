"""Where a recipe is written: its text, what is wrong with it at its line, and what it would cost, side by side."""

import re
from difflib import unified_diff
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from web import picture
from web.ask import read, send, weigh
from web.examples import example_of
from web.guard import refuse, show

_SLUG_LINE = re.compile(r"^zap:.*$", re.MULTILINE)
_START = """---
zap: my-first-film
version: 2
description: One picture that begins to move.

inputs:
  WHO:
    type: string
    required: true
    label: Who is in it?
    hint: a lighthouse keeper

defaults:
  provider: fal
  aspect: 16:9
  models:
    image.gen: fal-ai/flux/dev
    video.gen: fal-ai/kling-video/v2.1/pro/image-to-video

budget:
  estimate_usd: 0.52
  cap_usd: 1

steps:
  - id: portrait
    kind: image.gen
    prompt: A portrait of {WHO} in soft morning light.

  - id: film
    kind: video.gen
    duration_s: 5
    reference_images: [portrait]
    prompt: The portrait begins to move, slowly.

output: Film.mp4
---

# My first film

What this is about.
"""

Text = tuple[str, dict[str, str]]  # Zap.md, and its prompt files by path


@login_required
@require_safe
def studio(request: HttpRequest) -> HttpResponseBase:
    """A new recipe, or with `?from=` a copy of another, or with `?edit=` one's own."""
    slug = request.GET.get("edit") or request.GET.get("from")
    if not slug:
        return _page(request, (_START, {}))
    answer = read(request, f"/api/zaps/{slug}") if _is_slug(slug) else None
    if answer is None or not answer.ok:
        return refuse(request, answer or read(request, "/api/zaps/none"))
    source = answer.body["source"]
    if not request.GET.get("edit"):
        source = _SLUG_LINE.sub(f"zap: {slug[:59]}-copy", source, count=1)
    return _page(request, (source, answer.body["prompts"]))


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponseBase:
    """The same page with what is wrong with the text as it is now. Nothing is kept."""
    return _page(request, _read_form(request))


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponseBase:
    """Publishes the text, or keeps it as a draft, and goes to its page; or shows why not."""
    source, prompts = _read_form(request)
    said: dict[str, Any] = {"source": source, "prompts": prompts, "status": request.POST.get("status", "published")}
    if visibility := request.POST.get("visibility"):
        said["visibility"] = visibility
    answer = send(request, "/api/zaps/publish", said)
    if answer.ok:
        return HttpResponseRedirect(f"/zaps/{answer.body['slug']}", status=303)
    return _page(request, (source, prompts), problem=answer.body, status=answer.status)


@require_safe
def versions(request: HttpRequest, slug: str) -> HttpResponseBase:
    """What changed from one published version to the next; `?from=` and `?to=` choose two."""
    newest = read(request, f"/api/zaps/{slug}")
    if not newest.ok:
        return refuse(request, newest)
    last = newest.body["version"]
    to = request.GET.get("to") or str(last)
    since = request.GET.get("from") or str(max(int(to) - 1, 1) if to.isdecimal() else 1)
    texts = []
    for wanted in (since, to):
        answer = read(request, f"/api/zaps/{slug}", version="" if last == 0 else wanted)
        if not answer.ok:
            return refuse(request, answer)
        texts.append(_whole(answer.body))
    context = {
        "zap": newest.body, "numbers": [str(number) for number in range(1, last + 1)],
        "since": since, "to": to, "lines": _differences(*texts),
    }  # fmt: skip
    return show(request, "web/versions.html", context)


def _page(
    request: HttpRequest, text: Text, *, problem: dict[str, Any] | None = None, status: int = 200
) -> HttpResponseBase:
    source, prompts = text
    checked = weigh(request, "/api/zaps/validate", {"source": source, "prompts": prompts})
    errors = checked.body["errors"] if checked.ok else []
    planned = _plan(request, text, checked.body["inputs"]) if checked.ok and not errors else None
    context = {
        "source": source,
        "prompts": prompts,
        "checked": checked,
        "errors": errors,
        "plan": planned.body if planned and planned.ok else None,
        "plan_problem": planned.body if planned and not planned.ok else None,
        "graph": picture.of_plan(planned.body["steps"]) if planned and planned.ok else None,
        "is_example": True,
        "zap": checked.body,
        "problem": problem,
        "visibility": request.POST.get("visibility", ""),
    }
    return show(request, "web/studio.html", context, status=status)


def _plan(request: HttpRequest, text: Text, inputs: list[dict[str, Any]]) -> Any:
    examples = {one["name"]: example_of(one) for one in inputs if one["required"]}
    said = {"source": text[0], "prompts": text[1], "mode": "plan", "inputs": examples}
    return weigh(request, "/api/zaps/run", said)


def _read_form(request: HttpRequest) -> Text:
    prompts = {
        name.removeprefix("prompt."): _lines(value)
        for name, value in request.POST.items()
        if name.startswith("prompt.") and isinstance(value, str)
    }
    if path := request.POST.get("more", "").strip():
        prompts.setdefault(path, "")
    return _lines(request.POST.get("source", "")), prompts


def _lines(text: str) -> str:
    """As it is kept: a form sends every line with a carriage return."""
    return text.replace("\r\n", "\n")


def _is_slug(text: str) -> bool:
    return re.fullmatch("[a-z0-9-]{3,64}", text) is not None


def _whole(zap: dict[str, Any]) -> list[str]:
    """A recipe and its prompts as one text."""
    files = [("Zap.md", zap["source"]), *sorted(zap["prompts"].items())]
    return [line for path, text in files for line in (f"── {path}", *text.splitlines())]


def _differences(old: list[str], new: list[str]) -> list[tuple[str, str]]:
    """Lines with what became of them: added, removed, same, or gap where alike ones are left out."""
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
    lines = list(unified_diff(old, new, lineterm="", n=3))[2:]
    return [(kinds[line[0]], "" if line[0] == "@" else line[1:]) for line in lines]
