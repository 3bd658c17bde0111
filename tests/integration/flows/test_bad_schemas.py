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
        '{"pattern": "^(?!a)"}',
        '{"items": {"pattern": "(a)\\\\1"}}',
        '{"patternProperties": {"(?<=a)b": true}}',
        '{"pattern": "(a{1,1000}){1,30}"}',
        '{"patternProperties": {"a": true}, "unevaluatedProperties": false}',
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
        '{"properties": {"pattern": {"type": "string"}}}',
        '{"unevaluatedItems": false, "unevaluatedProperties": false}',
    ],
)
def test_no_payload_breaks_a_schema_that_was_taken(schema):
    assert faults(json.loads(schema)) == []
    for payload in (f"[{HUGE}, {HUGE}]", HUGE, "1e308", '"a"', "null", "[" * 99 + "]" * 99, '{"$ref": 1}'):
        assert isinstance(misfit(schema, json.loads(payload)), str)


TWICE_AS_MUCH = {"$defs": {"d30": {"type": "string"}}, "$ref": "#/$defs/d0"}
for depth in range(30):
    TWICE_AS_MUCH["$defs"][f"d{depth}"] = {"allOf": [{"$ref": f"#/$defs/d{depth + 1}"}] * 2}


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        (TWICE_AS_MUCH, "x"),
        ({"contains": {"type": "string"}, "unevaluatedItems": False}, [1] * 50_000),
        ({"items": {"properties": {f"p{number}": True for number in range(1000)}}}, [{}] * 100_000),
        ({"pattern": "(a|aa|aaa|b){1,300}c"}, "a" * 1_000_000),
        ({"patternProperties": {"(a|aa|aaa|b){1,300}c": True}}, {"a" * 1_000_000: 1}),
        ({"patternProperties": {"(a|aa|aaa|b){1,300}c": True}, "additionalProperties": True}, {"a" * 1_000_000: 1}),
    ],
)
def test_what_would_take_for_ever_is_given_up(schema, payload):
    assert faults(schema) == []
    assert misfit(json.dumps(schema), payload) == "this payload is too long for the schema to be tried on it"


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ({"pattern": "^(a+)+$"}, "a" * 500_000 + "!"),
        ({"patternProperties": {"^(a|a)*$": True}, "additionalProperties": False}, {"a" * 500_000 + "!": 1}),
        ({"uniqueItems": True}, [{"a": [number]} for number in range(50_000)] + [{"a": [7.0]}]),
    ],
)
def test_what_backtracking_or_comparing_each_with_each_would_take_for_ever_is_tried(schema, payload):
    assert faults(schema) == []
    assert "breaks" in misfit(json.dumps(schema), payload)


@pytest.mark.parametrize(
    ("schema", "fits", "not_"),
    [
        ({"pattern": "^[\\u4e00-\\u9fff]+$"}, ["日本", 5], ["a日", "日本\n"]),
        ({"pattern": "\\\\u0041"}, ["\\u0041"], ["A"]),
        ({"pattern": "b"}, ["abc"], ["ac", ""]),
        ({"uniqueItems": True}, [[1, True, "1", [1], [True], {"a": 1}, {"a": True}, None]], [[1, 1.0], [[{}], [{}]]]),
        ({"uniqueItems": False}, [[1, 1]], []),
        ({"properties": {"a": True}, "additionalProperties": {"type": "string"}}, [{"a": 1, "b": ""}, 5], [{"b": 1}]),
        ({"properties": {"a": True}, "additionalProperties": False}, [{"a": 1}], [{"b": 1}]),
        (
            {"patternProperties": {"^x-": {"type": "string"}}, "additionalProperties": False},
            [{"x-a": "", "x-b": ""}, {}, []],
            [{"x-a": 1}, {"ax-": ""}],
        ),
    ],
)
def test_our_own_rules_say_what_the_standard_says(schema, fits, not_):
    text = json.dumps(schema)
    assert faults(schema) == []
    assert [misfit(text, payload) for payload in fits] == [""] * len(fits)
    assert all("breaks" in misfit(text, payload) for payload in not_)


def test_a_reason_names_no_property_that_only_the_payload_has():
    assert misfit('{"additionalProperties": false}', {"secret": 1}) == "$ breaks additionalProperties: false"
