"""A recipe's page: what it makes, what it asks for, what it would cost, and the button."""

import re
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from web import picture
from web.ask import Answer, read, send, weigh
from web.examples import example_of
from web.gallery import card
from web.guard import refuse, show
from web.order import filled, order, planned

_RUN_ID = re.compile("run_[0-9a-z]{1,24}")


@require_safe
def recipe(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The form as nobody has touched it, and the plan with examples in place of answers."""
    answer = read(request, f"/api/zaps/{slug}")
    if not answer.ok:
        return refuse(request, answer)
    if not request.user.is_authenticated and not request.session.session_key and _may_rehearse(request):
        request.session.create()  # a visitor's uploads and runs belong to the browser
    form = _answers_of(request, answer.body)
    if form:
        return _page(request, answer.body, form, _plan(request, slug, order(answer.body, form)))
    example = {one["name"]: example_of(one) for one in answer.body["inputs"] if one["required"]}
    return _page(request, answer.body, QueryDict(), _plan(request, slug, {"inputs": example}), is_example=True)


@require_POST
def plan(request: HttpRequest, slug: str) -> HttpResponseBase:
    """The same page with the plan for what the form holds. Nothing is written, and nothing refused is an error here."""
    answer = read(request, f"/api/zaps/{slug}")
    if not answer.ok:
        return refuse(request, answer)
    said = order(answer.body, request.POST)
    return _page(request, answer.body, request.POST, _plan(request, slug, said))


@require_POST
def run(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Begin the run that the form asks for, and go to it; or the form again, with what is wrong at its fields."""
    answer = read(request, f"/api/zaps/{slug}")
    if not answer.ok:
        return refuse(request, answer)
    said = {"slug": slug, "mode": request.POST.get("mode", "mock"), **order(answer.body, request.POST)}
    begun = send(request, "/api/zaps/run", said, key=request.POST.get("key", ""))
    if begun.ok:
        return HttpResponseRedirect(f"/runs/{begun.body['runId']}", status=303)
    if begun.status == 401:
        return refuse(request, begun)
    price = _plan(request, slug, order(answer.body, request.POST))
    return _page(request, answer.body, request.POST, price, problem=begun.body, status=begun.status)


def _answers_of(request: HttpRequest, zap: Mapping[str, Any]) -> QueryDict:
    """The answers that the run of `?like=` was given, as far as the recipe still asks for them; empty without one."""
    form = QueryDict(mutable=True)
    run_id = request.GET.get("like", "")
    told = read(request, f"/api/runs/{run_id}") if _RUN_ID.fullmatch(run_id) else None
    if told is not None and told.ok:
        given = told.body["run"]["inputs"]
        form.update({f"input.{one['name']}": str(given[one["name"]]) for one in zap["inputs"] if one["name"] in given})
    return form


def _plan(request: HttpRequest, slug: str, said: dict[str, Any]) -> Answer:
    return weigh(request, f"/api/zaps/{slug}/plan", said)


def _may_rehearse(request: HttpRequest) -> bool:
    return request.user.is_authenticated or "mock" in settings.ZAP_OPEN_MODES


def _page(
    request: HttpRequest,
    zap: dict[str, Any],
    form: QueryDict,
    plan: Answer,
    *,
    is_example: bool = False,
    problem: dict[str, Any] | None = None,
    status: int = 200,
) -> HttpResponseBase:
    context = {
        **filled(request, zap, form, problem or {}),
        **planned(plan),
        "zap": card(zap),
        "is_mine": request.user.is_authenticated and zap["authorId"] == str(request.user.pk),
        "about": zap["source"].split("\n---", 1)[-1].strip(),
        "graph": picture.of_plan(plan.body["steps"]) if plan.ok else None,
        "is_example": is_example,
        "problem": problem,
        "may_run": _may_rehearse(request),
        "may_spend": request.user.is_authenticated,
    }
    return show(request, "web/recipe.html", context, status=status)
