"""Branching a run off: the same recipe with other answers, where only what changes is made and paid for again."""

from typing import Any

from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST

from web import story
from web.ask import Answer, read, send, weigh
from web.guard import refuse, show
from web.order import filled, order, planned


@require_http_methods(["GET", "HEAD", "POST"])
def fork(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The run's answers to change; sent, the new run's page, or the form again with what is wrong."""
    told = read(request, f"/api/runs/{run_id}")
    if not told.ok:
        return refuse(request, told)
    run, zap = told.body["run"], _recipe(request, told.body["run"])
    if request.method != "POST":
        return _page(request, run, zap, _answers(run, zap))
    said = {**_said(run, zap, request.POST), "mode": _mode(request.POST)}
    begun = send(request, f"/api/runs/{run_id}/fork", said, key=request.POST.get("key", ""))
    if begun.ok:
        return HttpResponseRedirect(f"/runs/{begun.body['runId']}", status=303)
    if begun.status in (401, 404):
        return refuse(request, begun)
    return _page(request, run, zap, request.POST, problem=begun.body, status=begun.status)


@require_POST
def fork_plan(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The same page with the plan for what the form holds. Nothing is written."""
    told = read(request, f"/api/runs/{run_id}")
    if not told.ok:
        return refuse(request, told)
    return _page(request, told.body["run"], _recipe(request, told.body["run"]), request.POST)


def changes(run: dict[str, Any], zap: dict[str, Any], form: QueryDict) -> dict[str, Any]:
    """The answers that are others than the run's; None takes one away."""
    said = order(zap, form)["inputs"]
    names = [one["name"] for one in zap["inputs"]]
    return {
        name: said.get(name)
        for name in names
        if form.get(f"input.{name}", "").replace("\r\n", "\n") != str(run["inputs"].get(name, ""))
    }


def _recipe(request: HttpRequest, run: dict[str, Any]) -> dict[str, Any]:
    """What the run's version of the recipe asks for; where the visitor cannot read that, what the run was told."""
    found = read(request, f"/api/zaps/{run['zapSlug']}", version=str(run["zapVersion"] or ""))
    if found.ok and run["zapVersion"]:
        return dict(found.body)
    asked = [
        {"name": name, "type": "textarea", "required": False, "label": None, "hint": None, "options": []}
        for name in run["inputs"]
    ]
    return {"slug": run["zapSlug"], "inputs": asked, "source": "", "version": 0}


def _answers(run: dict[str, Any], zap: dict[str, Any]) -> QueryDict:
    form = QueryDict(mutable=True)
    form.update({f"input.{one['name']}": str(run["inputs"].get(one["name"], "")) for one in zap["inputs"]})
    form["mode"] = run["providerMode"]
    return form


def _mode(form: QueryDict) -> str:
    return form.get("mode", "mock")


def _said(run: dict[str, Any], zap: dict[str, Any], form: QueryDict) -> dict[str, Any]:
    said = {**order(zap, form), "inputs": changes(run, zap, form)}
    said.pop("provider", None)
    return said


def _price(request: HttpRequest, run: dict[str, Any], zap: dict[str, Any], form: QueryDict) -> Answer | None:
    """What is not taken over would cost so much; None where the recipe cannot be read any more."""
    if not zap["version"]:
        return None
    return weigh(request, f"/api/runs/{run['runId']}/fork", {**_said(run, zap, form), "mode": "plan"})


def _page(
    request: HttpRequest,
    run: dict[str, Any],
    zap: dict[str, Any],
    form: QueryDict,
    *,
    problem: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    price = _price(request, run, zap, form)
    steps = price.body["steps"] if price and price.ok else []
    context = {
        **filled(request, zap, form, problem or {}),
        **(planned(price) if price else {}),
        "price": price,
        "reused": sum(step["status"] == "reused" for step in steps),
        "zap": zap,
        "run": run,
        "title": story.title_of(run),
        "providers": [],
        "problem": problem,
        "may_spend": request.user.is_authenticated,
    }
    return show(request, "web/fork.html", context, status=status)
