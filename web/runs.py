"""My runs, one run's page, and what a person can do there."""

import re
import time
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from web import story, words
from web.ask import change, read, send
from web.guard import refuse, show
from web.numbers import number

VERBS = frozenset({"cancel", "approve", "reject", "retry", "resume", "rerun-from", "feedback"})
_FILM = re.compile(r"/api/assets/([a-z]{2,12}_[0-9a-z]{1,24})/content")
_SOUNDS = (".wav", ".mp3", ".m4a", ".flac", ".ogg")
_STATUSES = (
    ("", "All"),
    *((name, words.STATUS[name]) for name in ("running", "waiting", "done", "failed", "canceled")),
)


@require_safe
def my_runs(request: HttpRequest) -> HttpResponseBase:
    """The visitor's runs, newest first; staff see everybody's."""
    wanted = {name: request.GET.get(name, "").strip() for name in ("status", "recipe")}
    cursor = request.GET.get("cursor", "")
    answer = read(request, "/api/runs", status=wanted["status"], zapSlug=wanted["recipe"], cursor=cursor)
    if answer.status == 401 and "mock" in settings.ZAP_OPEN_MODES and not request.session.session_key:
        return _list(request, wanted, {"runs": [], "nextCursor": None})  # a browser that never began one
    if not answer.ok:
        return refuse(request, answer)
    return _list(request, wanted, answer.body)


def _list(request: HttpRequest, wanted: dict[str, str], found: dict[str, Any]) -> HttpResponseBase:
    filters = [(_query({**wanted, "status": name}), word, name) for name, word in _STATUSES]
    runs = [{**run, "title": story.title_of(run), "still": _still(run)} for run in found["runs"]]
    older = _query({**wanted, "cursor": found["nextCursor"]}) if found["nextCursor"] else ""
    recipes = sorted({run["zapSlug"] for run in runs})
    context = {
        "runs": runs, "wanted": wanted, "filters": filters, "older": older, "recipes": recipes,
        "live": _stream(request),
    }  # fmt: skip
    return show(request, "web/runs.html", context)


def _stream(request: HttpRequest) -> str:
    """What tells that the list is another by now; "" on older pages, and for a browser that never began a run."""
    if "cursor" in request.GET or not (request.user.is_authenticated or request.session.session_key):
        return ""
    return f"/api/events{'?all=true' if request.user.is_staff else ''}"


def _query(given: dict[str, str]) -> str:
    return f"/runs?{urlencode({name: value for name, value in given.items() if value})}".rstrip("?")


def _still(run: dict[str, Any]) -> str:
    """The address of what a list shows of a finished run; "" where there is nothing to see."""
    found = _FILM.search(run["zapUrl"] or "")
    return f"/stills/{found[1]}.jpg" if found and not run["output"].lower().endswith(_SOUNDS) else ""


@require_safe
def one_run(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The run as it is now; a script asks for this page again whenever the run changes."""
    return _page(request, run_id)


@require_POST
def act(request: HttpRequest, run_id: str, verb: str) -> HttpResponseBase:
    """One of VERBS, then the run's page; where it was refused, the page says why."""
    if verb not in VERBS:
        raise Http404
    given = {name: request.POST.get(name, "").strip() for name in ("stepId", "assetId", "comment", "vote")}
    said: dict[str, Any] = {name: value for name, value in given.items() if value}
    if most := request.POST.get("maxUsd", "").strip():
        said["maxUsd"] = number(most)
    answer = send(request, f"/api/runs/{run_id}/{verb}", said, key=request.POST.get("key", ""))
    if answer.ok:
        return HttpResponseRedirect(f"/runs/{run_id}", status=303)
    if answer.status in (401, 404):
        return refuse(request, answer)
    return _page(request, run_id, {"problem": answer.body}, status=answer.status)


@require_POST
def delete(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The run and all that it made are gone; then the list of runs, or the run's page with why not."""
    answer = change(request, "DELETE", f"/api/runs/{run_id}")
    if answer.ok:
        return HttpResponseRedirect("/runs", status=303)
    if answer.status in (401, 404):
        return refuse(request, answer)
    return _page(request, run_id, {"problem": answer.body}, status=answer.status)


@require_POST
def share(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """Makes an address at which anybody may look, and shows it this once."""
    answer = send(request, f"/api/runs/{run_id}/share", {})
    if not answer.ok:
        return refuse(request, answer)
    address = request.build_absolute_uri(f"/runs/{run_id}?{urlencode({'token': answer.body['token']})}")
    return _page(request, run_id, {"shared": {"address": address, "until": answer.body["expiresAt"]}})


def _page(
    request: HttpRequest, run_id: str, more: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponseBase:
    token = request.GET.get("token", "")
    answer = read(request, f"/api/runs/{run_id}", token=token)
    if not answer.ok:
        return refuse(request, answer)
    told = story.tell(answer.body, now_ms=int(time.time() * 1000), token=token)
    wants_more = status == 402 or any(step["error"] == "BUDGET_EXCEEDED" for step in told["steps"])
    told["needs_money"] = wants_more or told["run"]["waitReason"] == "budget"
    query = f"?{urlencode({'token': token})}" if token else ""
    return show(request, "web/run.html", {**told, "token": token, "query": query, **(more or {})}, status=status)
