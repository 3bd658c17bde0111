"""The visitor's account: what it spent, its keys for programs, and its keys for providers."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.views.decorators.http import require_POST, require_safe

from accounts.caller import Scope
from web.ask import Answer, change, read, send
from web.guard import refuse, show
from web.numbers import number

_SCOPES = {
    Scope.READ: "look at recipes and runs",
    Scope.RUN: "plan, rehearse and cancel",
    Scope.LIVE: "spend money",
    Scope.PUBLISH: "publish recipes",
    Scope.SECRETS: "set providers' keys",
    Scope.KEYS: "make and revoke keys",
    Scope.ACCOUNT: "take out or delete the account",
}
_OVERLAP_S = 3600


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponseBase:
    """Everything on one page. What opens doors is never on it."""
    return _page(request)


@login_required
@require_POST
def make_key(request: HttpRequest) -> HttpResponseBase:
    """A new key for programs, shown this once."""
    said: dict[str, Any] = {"name": request.POST.get("name", ""), "scopes": request.POST.getlist("scopes")}
    if days := request.POST.get("expiresInDays", "").strip():
        said["expiresInDays"] = number(days)
    return _shown(request, send(request, "/api/keys", said), "made")


@login_required
@require_POST
def rotate_key(request: HttpRequest, prefix: str) -> HttpResponseBase:
    """The key with a new token, shown this once. The old one opens doors for another hour."""
    return _shown(request, send(request, f"/api/keys/{prefix}/rotate", {"overlapS": _OVERLAP_S}), "rotated")


@login_required
@require_POST
def revoke_key(request: HttpRequest, prefix: str) -> HttpResponseBase:
    """The key opens nothing from now on."""
    return _done(request, change(request, "DELETE", f"/api/keys/{prefix}"))


@login_required
@require_POST
def secret(request: HttpRequest, provider: str, verb: str) -> HttpResponseBase:
    """Set, try or take back a provider's key."""
    path = f"/api/secrets/{provider}"
    if verb == "set":
        values = {name.removeprefix("value."): text for name, text in request.POST.items() if name.startswith("value.")}
        return _done(request, change(request, "PUT", path, {name: text for name, text in values.items() if text}))
    if verb == "delete":
        return _done(request, change(request, "DELETE", path))
    if verb != "test":
        raise Http404
    answer = send(request, f"{path}/test", {})
    return _page(request, {"tried": answer.body}) if answer.ok else _refused(request, answer)


def _shown(request: HttpRequest, answer: Answer, how: str) -> HttpResponseBase:
    return _page(request, {"new_key": answer.body, "how": how}) if answer.ok else _refused(request, answer)


def _done(request: HttpRequest, answer: Answer) -> HttpResponseBase:
    return HttpResponseRedirect("/account", status=303) if answer.ok else _refused(request, answer)


def _refused(request: HttpRequest, answer: Answer) -> HttpResponseBase:
    if answer.status in (401, 404):
        return refuse(request, answer)
    return _page(request, {"problem": answer.body}, status=answer.status)


def _page(request: HttpRequest, more: dict[str, Any] | None = None, *, status: int = 200) -> HttpResponseBase:
    asked = [read(request, "/api/usage"), read(request, "/api/keys", limit="100"), read(request, "/api/secrets")]
    for answer in asked:
        if not answer.ok:
            return refuse(request, answer)
    usage, keys, secrets = (answer.body for answer in asked)
    kept = {one["provider"]: one for one in secrets["secrets"] if one["runId"] is None}
    context = {
        "budgets": usage["budgets"],
        "keys": [one for one in keys["keys"] if one["userId"] == str(request.user.pk) and one["state"] != "revoked"],
        "scopes": [(str(scope), words) for scope, words in _SCOPES.items()],
        "usual": ("read", "run"),
        "providers": [{**one, "kept": kept.get(one["provider"])} for one in secrets["providers"] if one["names"]],
        **(more or {}),
    }
    return show(request, "web/account.html", context, status=status)
