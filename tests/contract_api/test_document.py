"""The OpenAPI document is valid, whole, and the one that is checked in."""

import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from config import openapi
from core.api.openapi import OPEN
from tests.integration.platform.doors import DOORS

PAGES = {"/api/notifications/stop/{token}"}  # for people, from a letter
CHECKED_IN = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def document():
    return yaml.safe_load(CHECKED_IN.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def operations(document):
    """By method and path."""
    return {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_what_is_checked_in_is_what_the_code_says():
    assert CHECKED_IN.read_text(encoding="utf-8") == openapi.page(), "Run ./dev docs."


def test_drawing_it_warns_of_nothing(capsys):
    openapi.document.cache_clear()

    openapi.document()

    assert capsys.readouterr().err == ""


def test_it_is_valid(document):
    assert document["openapi"] == "3.1.1"
    validate(document)


def test_every_address_of_the_interface_is_in_it_and_no_other(operations):
    programs = ("/api/", "/healthz", "/readyz", "/metrics", "/.well-known/")
    doors = {(method, path) for method, path, *_ in DOORS if path.startswith(programs)}

    assert set(operations) == {(method, path) for method, path in doors if path not in PAGES}


def test_it_says_who_may_call(operations):
    """The column of nobody: 401 means that one must be known."""
    told = {door: {} in operation["security"] for door, operation in operations.items()}

    shut = {(method, path): column == "401" for method, path, column, *_ in DOORS if (method, path) in operations}
    for door, open_to_all in told.items():
        if open_to_all:
            assert not shut[door] or operations[door]["security"] == OPEN, door
        else:
            assert shut[door] or "share" in door[1], door


def test_every_answer_that_a_door_gives_is_in_it(operations):
    for method, path, *columns in DOORS:
        if (method, path) in operations:
            assert set(columns) <= set(operations[method, path]["responses"]), (method, path)


def test_operations_have_a_name_a_tag_and_a_sentence_each(document, operations):
    names = [operation["operationId"] for operation in operations.values()]
    known = {tag["name"] for tag in document["tags"]}

    assert len(names) == len(set(names))
    for operation in operations.values():
        assert re.fullmatch("[a-z]+([A-Z][a-z]+)*", operation["operationId"])
        assert len(operation["tags"]) == 1
        assert set(operation["tags"]) <= known
        assert operation["summary"]
        assert operation["description"]
        assert all(answer.get("description") or "$ref" in answer for answer in operation["responses"].values())


def test_a_refusal_is_a_problem_document_everywhere(document, operations):
    for door, operation in operations.items():
        refusals = {status: answer for status, answer in operation["responses"].items() if status >= "4"}
        for status, answer in refusals.items():
            if status != "416" and door != ("GET", "/readyz"):
                assert answer == {"$ref": f"#/components/responses/Refused{status}"}
    for refusal in document["components"]["responses"].values():
        assert refusal["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def examples(node, schema=None):
    """Each example with its schema."""
    if isinstance(node, dict):
        schema = node.get("schema", schema)
        for name, inner in node.items():
            if name == "examples" and isinstance(inner, dict):
                yield from ((one["value"], schema) for one in inner.values())
            else:
                yield from examples(inner, None if name in ("content", "responses") else schema)
    elif isinstance(node, list):
        for inner in node:
            yield from examples(inner)


def test_examples_are_what_their_schemas_say(document):
    found = list(examples(document["paths"]))

    assert len(found) >= 8
    for example, schema in found:
        whole = {**schema, "components": document["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(example)] == []
