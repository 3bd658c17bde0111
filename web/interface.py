"""/api/docs: the OpenAPI document as a page to read. It needs no script and nothing from elsewhere."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from config import openapi
from web.guard import show

_PREFIX = "#/components/"


@require_safe
def interface(request: HttpRequest) -> HttpResponse:
    """Every address, by what it is about, and every shape that is sent or answered."""
    return show(request, "web/interface.html", _told())


@lru_cache(maxsize=1)
def _told() -> dict[str, Any]:
    document = openapi.document()
    operations = list(_operations(document))
    rooms = [
        {**tag, "operations": [one for one in operations if tag["name"] in one["tags"]]} for tag in document["tags"]
    ]
    shapes = document["components"]["schemas"].items()
    return {
        "info": document["info"],
        "rooms": [room for room in rooms if room["operations"]],
        "shapes": [{"name": name, "about": shape.get("description", ""), **_shape(shape)} for name, shape in shapes],
    }


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in sorted(document["paths"].items()):
        for method, operation in methods.items():
            yield {
                **operation,
                "method": method.upper(),
                "path": path,
                "is_open": {} in operation["security"],
                "parameters": [_parameter(document, one) for one in operation.get("parameters", ())],
                "bodies": [_type(body["schema"]) for body in _contents(operation.get("requestBody", {}))],
                "answers": [_answer(document, *one) for one in operation["responses"].items()],
            }


def _parameter(document: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    whole = _found(document, one)
    return {**whole, "place": whole["in"], "type": _type(whole["schema"])}


def _answer(document: Mapping[str, Any], status: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    whole = _found(document, answer)
    return {
        "status": status,
        "about": whole["description"],
        "types": [_type(one["schema"]) for one in _contents(whole)],
    }


def _found(document: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference leads to."""
    if "$ref" not in node:
        return node
    kind, name = node["$ref"].removeprefix(_PREFIX).split("/")
    found: Mapping[str, Any] = document["components"][kind][name]
    return found


def _contents(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(node.get("content", {}).values())


def _shape(schema: Mapping[str, Any]) -> dict[str, Any]:
    needed = schema.get("required", ())
    fields = [
        {"name": name, "type": _type(field), "about": field.get("description", ""), "is_needed": name in needed}
        for name, field in schema.get("properties", {}).items()
    ]
    return {"fields": fields, "words": schema.get("enum", ())}


def _type(schema: Mapping[str, Any]) -> dict[str, str]:
    """In words, and the shape that it names: `list of`, `StepRow`."""
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            named = [_type(one) for one in schema[several]]
            shape = next((one["shape"] for one in named if one["shape"]), "")
            return {"words": " or ".join(one["words"] for one in named if one["words"]), "shape": shape}
    if "$ref" in schema:
        return {"words": "", "shape": schema["$ref"].rpartition("/")[2]}
    if "items" in schema:
        inner = _type(schema["items"])
        return {"words": f"list of {inner['words']}".strip(), "shape": inner["shape"]}
    kind = schema.get("type", "anything")
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return {"words": ", ".join(map(str, schema["enum"])) if "enum" in schema else words, "shape": ""}
