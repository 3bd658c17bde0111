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

from flows import rules

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
    return [*_bad_patterns(schema)]


def misfit(schema: str, payload: Any) -> str:
    """Why a payload does not fit a schema, given as JSON text; "" when it does.

    Names places and rules, never what the payload holds.
    """
    rules.begin()
    try:
        errors = list(islice(_validator(schema).iter_errors(payload), MAX_REASONS))
    except rules.TooMuchWork:
        return "this payload is too long for the schema to be tried on it"
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
def _validator(schema: str) -> Any:
    return rules.PayloadValidator(json.loads(schema))


def _told(error: ValidationError) -> str:
    rule = json.dumps(error.validator_value, ensure_ascii=False)
    if len(rule) > _LONGEST:
        rule = f"{rule[:_LONGEST]}…"
    return f"{error.json_path[:_LONGEST]} breaks {error.validator}: {rule}"


def _references(schema: Any) -> Iterator[str]:
    for name, value in _rules_of(schema):
        if name in ("$ref", "$dynamicRef") and isinstance(value, str):
            yield value


def _bad_patterns(schema: Any) -> Iterator[str]:
    found = list(_rules_of(schema))
    texts = [value for name, value in found if name == "pattern" and isinstance(value, str)]
    for name, value in found:
        texts += list(value) if name == "patternProperties" and isinstance(value, dict) else []
    for text in texts:
        try:
            rules.pattern(text)
        except rules.BadPattern:
            yield f"The pattern {text[:100]!r} is too big, or looks around or back, which can take for ever."
    if {"unevaluatedProperties", "patternProperties"} <= {name for name, _ in found}:
        yield "unevaluatedProperties cannot stand beside patternProperties."


def _rules_of(schema: Any) -> Iterator[tuple[str, Any]]:
    """Every name and its value, however deep. Some are names of properties: they are looked at, too."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            yield name, value
            yield from _rules_of(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _rules_of(value)
