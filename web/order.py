"""The form of an order: what its fields are called in the page, and what they say in the interface's words."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, QueryDict

from web.ask import Answer, read
from web.numbers import number


def order(zap: Mapping[str, Any], form: QueryDict) -> dict[str, Any]:
    """What the form says. A field that was left empty is not said."""
    inputs = {one["name"]: value_of(one, form.get(f"input.{one['name']}", "")) for one in zap["inputs"]}
    said: dict[str, Any] = {"inputs": {name: value for name, value in inputs.items() if value != ""}}
    if provider := form.get("provider", ""):
        said["provider"] = provider
    for name in ("maxUsd", "extendCount"):
        if (typed := form.get(name, "").strip()) != "":
            said[name] = number(typed)
    return said


def value_of(one: Mapping[str, Any], text: str) -> Any:
    """An answer to one of the recipe's questions; "" where there is none."""
    if one["type"] == "number" and text.strip():
        return number(text.strip())
    return text.replace("\r\n", "\n") if text.strip() else ""


def filled(request: HttpRequest, zap: Mapping[str, Any], form: QueryDict, problem: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields hold and what is wrong with them, for the template."""
    wrong = {error["path"]: error["message"] for error in problem.get("errors", ()) if error.get("path")}
    return {
        "fields": [
            {**one, "value": form.get(f"input.{one['name']}", ""), "wrong": wrong.get(f"inputs.{one['name']}", "")}
            for one in zap["inputs"]
        ],
        "mode": form.get("mode", "mock"),
        "max_usd": form.get("maxUsd", ""),
        "extend_count": form.get("extendCount", ""),
        "repeats": "video.extend" in zap["source"],
        "provider": form.get("provider", ""),
        "providers": _providers(request),
    }


def planned(answer: Answer) -> dict[str, Any]:
    """The plan, or why there is none, for the template."""
    return {"plan": answer.body if answer.ok else None, "plan_problem": None if answer.ok else answer.body}


def _providers(request: HttpRequest) -> list[str]:
    """Those that the visitor's next live run could use; [] for whoever is not signed in."""
    told = read(request, "/api/providers") if request.user.is_authenticated else None
    if told is None or not told.ok:
        return []
    return [one["provider"] for one in told.body["providers"] if one["configured"]]
