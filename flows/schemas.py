"""JSON Schema, draft 2020-12, of events' payloads. References lead within the schema; nothing is ever fetched."""

import json
import logging
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator, SchemaError, ValidationError
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

logger = logging.getLogger(__name__)

MAX_REASONS = 3
_LONGEST = 200


def faults(schema: Any) -> list[str]:
    """What is wrong with a schema; [] when it can be used."""
    if not isinstance(schema, dict | bool):
        return ["A schema is an object, true or false."]
    if not _is_schema(schema):
        return ["This is no JSON Schema of draft 2020-12."]
    resolver = Registry().resolver_with_root(Resource.from_contents(schema, default_specification=DRAFT202012))
    for reference in _references(schema):
        try:
            found = resolver.lookup(reference).contents
        except (Unresolvable, ValueError):
            return [f"References lead within the schema; {reference[:100]!r} does not."]
        if not _is_schema(found):
            return [f"What {reference[:100]!r} leads to is no schema."]
    return []


def misfit(schema: str, payload: Any) -> str:
    """Why a payload does not fit a schema, given as JSON text; "" when it does.

    Names places and rules, never what the payload holds.
    """
    try:
        errors = list(islice(_validator(schema).iter_errors(payload), MAX_REASONS))
    except Exception as exc:  # of whatever kind: one flow's schema keeps no event from the others
        logger.warning("flow schema could not be tried error=%s", type(exc).__name__)
        return "the schema cannot be tried on this payload"
    return "; ".join(_told(error) for error in errors)


def _is_schema(value: Any) -> bool:
    try:
        Draft202012Validator.check_schema(value)
    except (SchemaError, RecursionError):
        return False
    return isinstance(value, dict | bool)


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
