"""Where a recipe is written: its text, what is wrong with it at its line, and what it would cost, side by side."""

import re
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
_PROMPT_FILE = re.compile(r"prompts/[\w./-]+\.md")
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
    """A new recipe, or with `?from=` a copy of another, or with `?edit=` one's own: the draft, where there is one."""
    edited = request.GET.get("edit", "")
    slug = edited or request.GET.get("from", "")
    if not slug:
        return _page(request, (_START, {}))
    answer = read(request, f"/api/zaps/{slug if _is_slug(slug) else 'none'}")
    if not answer.ok:
        return refuse(request, answer)
    zap = answer.body
    if edited:
        return _edit(request, zap)
    return _page(request, (_SLUG_LINE.sub(f"zap: {slug[:59]}-copy", zap["source"], count=1), zap["prompts"]))


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponseBase:
    """The same page with what is wrong with the text as it is now. Nothing is kept."""
    return _page(request, _read_form(request))


@login_required
@require_POST
def keep(request: HttpRequest) -> HttpResponseBase:
    """Publishes the text and goes to its page, or keeps it as a draft and goes on; or shows why not."""
    source, prompts = _read_form(request)
    status = request.POST.get("status", "published")
    said: dict[str, Any] = {"source": source, "prompts": prompts, "status": status}
    if visibility := request.POST.get("visibility"):
        said["visibility"] = visibility
    answer = send(request, "/api/zaps/publish", said)
    if answer.ok:
        slug = answer.body["slug"]
        return HttpResponseRedirect(f"/studio?edit={slug}" if status == "draft" else f"/zaps/{slug}", status=303)
    return _page(request, (source, prompts), problem=answer.body, status=answer.status)


def _edit(request: HttpRequest, zap: dict[str, Any]) -> HttpResponseBase:
    """Its author gets the draft that lies over the published text, unless that one is asked for."""
    text = zap
    if zap["status"] == "draft" and zap["version"] and "published" not in request.GET:
        draft = read(request, f"/api/zaps/{zap['slug']}", draft="true")
        if not draft.ok:
            return refuse(request, draft)
        text = draft.body
    return _page(request, (text["source"], text["prompts"]), opened=zap)


def _page(
    request: HttpRequest,
    text: Text,
    *,
    opened: dict[str, Any] | None = None,
    problem: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    source, prompts = text
    checked = weigh(request, "/api/zaps/validate", {"source": source, "prompts": prompts})
    errors = [_told(error, source) for error in checked.body["errors"]] if checked.ok else []
    planned = _plan(request, text, checked.body["inputs"]) if checked.ok and not errors else None
    context = {
        "source": source,
        "prompts": dict(sorted(prompts.items())),
        "checked": checked,
        "errors": errors,
        "plan": planned.body if planned and planned.ok else None,
        "plan_problem": planned.body if planned and not planned.ok else None,
        "graph": picture.of_plan(planned.body["steps"]) if planned and planned.ok else None,
        "is_example": True,
        "zap": checked.body,
        "opened": opened,
        "is_draft": opened is not None and "published" not in request.GET,
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
    for path in (more.strip() for more in request.POST.getlist("more")):
        if path:
            prompts.setdefault(path, "")
    prompts.pop(request.POST.get("drop", ""), None)
    return _lines(request.POST.get("source", "")), prompts


def _told(error: dict[str, Any], source: str) -> dict[str, Any]:
    """The error, with the prompt file that its line names and nobody has written: it can be begun from there."""
    lines = source.split("\n")
    line = lines[error["line"] - 1] if error["line"] and error["line"] <= len(lines) else ""
    named = _PROMPT_FILE.search(line) if error["code"] == "RECIPE_PROMPT_MISSING" else None
    return {**error, "unwritten": named[0] if named else ""}


def _lines(text: str) -> str:
    """As it is kept: a form sends every line with a carriage return."""
    return text.replace("\r\n", "\n")


def _is_slug(text: str) -> bool:
    return re.fullmatch("[a-z0-9-]{3,64}", text) is not None
