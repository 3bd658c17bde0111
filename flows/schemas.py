"""JSON Schema, draft 2020-12, of events' payloads. References lead within the schema; nothing is ever fetched."""

import json
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

MAX_REASONS = 3
_LONGEST = 200


def faults(schema: Any) -> list[str]:
    """What is wrong with a schema; [] when it can be used."""
    if not isinstance(schema, dict | bool):
        return ["A schema is an object, true or false."]
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError):
        return ["This is no JSON Schema of draft 2020-12."]
    resolver = Registry().resolver_with_root(Resource.from_contents(schema, default_specification=DRAFT202012))
    for reference in _references(schema):
        try:
            resolver.lookup(reference)
        except Unresolvable:
            return [f"References lead within the schema; {reference[:100]!r} does not."]
    return []


def misfit(schema: str, payload: Any) -> str:
    """Why a payload does not fit a schema, given as JSON text; "" when it does.

    Names places and rules, never what the payload holds.
    """
    try:
        errors = list(islice(_validator(schema).iter_errors(payload), MAX_REASONS))
    except (Unresolvable, RecursionError):
        return "the schema refers to itself without an end"
    return "; ".join(_told(error) for error in errors)


@lru_cache(maxsize=2048)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))


def _told(error: ValidationError) -> str:
    rule = json.dumps(error.validator_value, ensure_ascii=False)
    if len(rule) > _LONGEST:
        rule = f"{rule[:_LONGEST]}…"
    return f"{error.json_path[:_LONGEST]} breaks {error.validator}: {rule}"


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in ("$ref", "$dynamicRef") and isinstance(value, str):
                yield value
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
