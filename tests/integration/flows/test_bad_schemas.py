"""Schemas that cannot be used, and payloads that try to break those that can."""

import json

import pytest

from flows.schemas import faults, misfit

HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    "schema",
    [
        '{"pattern": "("}',
        '{"properties": {"a": {"pattern": "\\\\p{Lu}"}}}',
        '{"patternProperties": {"[": true}}',
        '{"$ref": "http://[::1"}',
        '{"$id": "http://[::1", "$ref": "#/a"}',
        '{"$ref": "#/x", "x": 5}',
        '{"$ref": "https://a.b/c"}',
        '{"$ref": "#/required", "required": ["a"]}',
        '{"$schema": 5}',
        '{"$ref": 5}',
        '{"type": "text"}',
        "5",
        "[]",
        '"x"',
        '{"multipleOf": 0}',
        '{"required": "a"}',
        '{"$dynamicRef": "#nowhere"}',
        '{"$ref": "%"}',
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_when_its_flow_is_synced(schema):
    assert faults(json.loads(schema))


@pytest.mark.parametrize(
    "schema",
    [
        '{"$ref": "#"}',
        '{"$id": "urn:x", "$ref": "urn:x"}',
        '{"multipleOf": 0.1}',
        '{"maximum": 1.5}',
        '{"uniqueItems": true}',
        '{"$ref": "#/$defs/a", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}',
        '{"pattern": "^a"}',
        '{"$schema": "http://json-schema.org/draft-07/schema#"}',
        '{"$schema": "urn:unknown"}',
        '{"enum": [1]}',
        '{"$anchor": "a", "$ref": "#a"}',
        '{"properties": {"$ref": {"type": "string"}}}',
    ],
)
def test_no_payload_breaks_a_schema_that_was_taken(schema):
    assert faults(json.loads(schema)) == []
    for payload in (f"[{HUGE}, {HUGE}]", HUGE, "1e308", '"a"', "null", "[" * 99 + "]" * 99, '{"$ref": 1}'):
        assert isinstance(misfit(schema, json.loads(payload)), str)
