import json

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions as drf

from core.api.problems import explain, respond
from core.errors import BadInput, Conflict, OverBudget, Problem, StaleState
from providers.errors import Unavailable


@pytest.mark.parametrize(
    ("exc", "status", "code", "retryable"),
    [
        (Conflict("no"), 409, "CONFLICT", False),
        (StaleState(), 409, "STALE_STATE", True),
        (OverBudget(), 402, "BUDGET_EXCEEDED", False),
        (Unavailable(reason="RATE_LIMITED"), 502, "RATE_LIMITED", True),
        (drf.ParseError(), 400, "MALFORMED_REQUEST", False),
        (drf.NotAuthenticated(), 401, "NOT_AUTHENTICATED", False),
        (drf.AuthenticationFailed(), 401, "CREDENTIALS_REFUSED", False),
        (drf.PermissionDenied(), 403, "FORBIDDEN", False),
        (drf.NotFound(), 404, "NOT_FOUND", False),
        (drf.MethodNotAllowed("PUT"), 405, "METHOD_NOT_ALLOWED", False),
        (drf.NotAcceptable(), 406, "NOT_ACCEPTABLE", False),
        (drf.UnsupportedMediaType("text/plain"), 415, "UNSUPPORTED_MEDIA_TYPE", False),
        (drf.Throttled(wait=7), 429, "TOO_MANY_REQUESTS", True),
        (drf.ValidationError({"a": ["wrong"]}), 422, "INVALID_REQUEST", False),
        (drf.APIException(), 500, "REFUSED", False),
        (Http404(), 404, "NOT_FOUND", False),
        (PermissionDenied(), 403, "FORBIDDEN", False),
        (RequestDataTooBig(), 413, "BODY_TOO_LARGE", False),
        (SuspiciousOperation(), 400, "MALFORMED_REQUEST", False),
        (OperationalError(), 503, "DATABASE_UNAVAILABLE", True),
        (InterfaceError(), 503, "DATABASE_UNAVAILABLE", True),
        (RuntimeError("inside"), 500, "INTERNAL", True),
    ],
)
def test_every_exception_is_a_problem(exc, status, code, retryable):
    fault = explain(exc)

    assert (fault.status, fault.code, fault.retryable) == (status, code, retryable)


def test_the_document_has_all_its_members():
    problem = Problem(code="STEP_KIND", message="No.", line=3, column=5, path="steps[0].kind")

    answer = respond(explain(BadInput("Two things.", problems=[problem], runStatus="done")))

    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Cache-Control"] == "no-store"
    assert json.loads(answer.content) == {
        "type": "urn:zap:problem:INVALID_INPUT",
        "title": "The input is not valid.",
        "status": 422,
        "code": "INVALID_INPUT",
        "detail": "Two things.",
        "remediation": "Mend what `errors` lists and send it again.",
        "retryable": False,
        "errors": [{"code": "STEP_KIND", "message": "No.", "line": 3, "column": 5, "path": "steps[0].kind"}],
        "runStatus": "done",
    }


def test_what_we_did_not_foresee_is_logged_and_not_shown(caplog):
    answer = respond(explain(RuntimeError("zap_secret")))

    assert b"zap_secret" not in answer.content
    assert "zap_secret" in caplog.text


def test_headers_tell_when_to_come_back_and_how_to_log_in():
    refused = drf.NotAuthenticated()
    refused.auth_header = 'Bearer realm="zap"'

    assert respond(explain(drf.Throttled(wait=7)))["Retry-After"] == "7"
    assert respond(explain(refused))["WWW-Authenticate"] == 'Bearer realm="zap"'


def test_nested_errors_have_paths():
    detail = {"steps": [{}, {"name": ["too long"]}], "non_field_errors": [drf.ErrorDetail("both", code="BOTH")]}

    errors = explain(drf.ValidationError(detail)).errors

    assert [(one.path, one.code, one.message) for one in errors] == [
        ("steps[1].name", "FIELD_INVALID", "too long"),
        (None, "BOTH", "both"),
    ]
