"""Every error that leaves by HTTP is an RFC 9457 problem document, and none carries our insides.

`handler` is DRF's exception handler; `answers_problems` does the same for plain Django views; the four views at the
end stand in for Django's own error pages under /api/.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, cast

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework.utils.encoders import JSONEncoder
from rest_framework.views import set_rollback

from core.errors import BadInput, Problem, ZapsError

logger = logging.getLogger(__name__)
_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A problem document before it is written down."""

    status: int
    code: str
    title: str
    detail: str = ""
    remediation: str = ""
    retryable: bool = False
    errors: tuple[Problem, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def document(fault: Fault) -> dict[str, Any]:
    """The JSON of a problem. `errors` is there always, [] when nothing more can be said."""
    return {
        "type": f"urn:zap:problem:{fault.code}",
        "title": fault.title,
        "status": fault.status,
        "code": fault.code,
        "detail": fault.detail or fault.title,
        "remediation": fault.remediation,
        "retryable": fault.retryable,
        "errors": [asdict(problem) for problem in fault.errors],
        **fault.extra,
    }


def respond(fault: Fault) -> HttpResponse:
    """The problem as an answer. Never cached: what is wrong now may be right in a second."""
    body = _encoder.encode(document(fault))
    headers = {"Cache-Control": "no-store", **fault.headers}
    return HttpResponse(body, status=fault.status, content_type="application/problem+json", headers=headers)


def handler(exc: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """DRF's EXCEPTION_HANDLER: `exc` as a problem document; whatever the view wrote is rolled back."""
    set_rollback()
    return respond(explain(exc))


def explain(exc: Exception) -> Fault:
    """What to tell the caller. An exception that we do not know is logged and says nothing of itself."""
    if isinstance(exc, ZapsError):
        return _of_ours(exc)
    if isinstance(exc, drf.APIException):
        return _of_drf(exc)
    for kind, fault in _OTHERS:
        if isinstance(exc, kind):
            return fault
    logger.exception("unexpected error while answering a request", exc_info=exc)
    return INTERNAL


def _of_ours(exc: ZapsError) -> Fault:
    extra = dict(exc.extra)
    errors = exc.problems if isinstance(exc, BadInput) else tuple(extra.pop("problems", ()))
    headers = {"Retry-After": str(exc.extra.get("retryAfterS", 1))} if exc.retryable else {}
    return Fault(
        status=exc.status,
        code=str(getattr(exc, "reason", exc.code)),
        title=exc.title,
        detail=exc.detail,
        remediation=exc.remediation,
        retryable=exc.retryable,
        errors=tuple(errors),
        extra=extra,
        headers=headers,
    )


_DRF: tuple[tuple[type[drf.APIException], str, str, str], ...] = (
    # what, code, title, remediation
    (
        drf.ParseError,
        "MALFORMED_REQUEST",
        "The request could not be read.",
        "Send one JSON object as application/json.",
    ),
    (
        drf.AuthenticationFailed,
        "CREDENTIALS_REFUSED",
        "The credentials were refused.",
        "Make a new token with `zap token create`.",
    ),
    (
        drf.NotAuthenticated,
        "NOT_AUTHENTICATED",
        "This needs a caller that we know.",
        "Send `Authorization: Bearer <token>`, or log in.",
    ),
    (drf.PermissionDenied, "FORBIDDEN", "This caller may not do that.", "Use an account or a token that may."),
    (drf.NotFound, "NOT_FOUND", "There is no such thing.", "Check the address."),
    (
        drf.MethodNotAllowed,
        "METHOD_NOT_ALLOWED",
        "This address does not answer to that method.",
        "See the Allow header.",
    ),
    (
        drf.NotAcceptable,
        "NOT_ACCEPTABLE",
        "We cannot answer in a form that the caller accepts.",
        "Accept application/json.",
    ),
    (drf.UnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "We do not read that content type.", "Send application/json."),
    (drf.Throttled, "TOO_MANY_REQUESTS", "Too many requests.", "Wait as long as Retry-After says."),
)


def _of_drf(exc: drf.APIException) -> Fault:
    if isinstance(exc, drf.ValidationError):
        errors = tuple(_field_problems(exc.detail, ""))
        return Fault(
            status=422, code="INVALID_REQUEST", title="The request is not valid.", errors=errors,
            remediation="Mend what `errors` lists and send it again.",
        )  # fmt: skip
    headers: dict[str, str] = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if allowed := getattr(exc, "allowed", None):
        headers["Allow"] = allowed
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = f"{wait:.0f}"
    for kind, code, title, remediation in _DRF:
        if isinstance(exc, kind):
            detail, retryable = str(exc.detail), kind is drf.Throttled
            return Fault(
                status=exc.status_code, code=code, title=title, detail=detail, remediation=remediation,
                retryable=retryable, headers=headers,
            )  # fmt: skip
    return Fault(status=exc.status_code, code="REFUSED", title="The request was refused.", headers=headers)


def _field_problems(detail: Any, path: str) -> Iterable[Problem]:
    """DRF's nested error lists, flattened: one Problem a sentence, `path` as in `steps[2].name`."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            here = path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            yield from _field_problems(inner, here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _field_problems(inner, f"{path}[{index}]" if isinstance(inner, Mapping) else path)
    else:
        yield Problem(code=_code_of(detail), message=str(detail), path=path or None)


def _code_of(detail: Any) -> str:
    """The stable code of one DRF message; those of our own serializers are already in capitals."""
    code = str(getattr(detail, "code", "invalid") or "invalid")
    return (
        code if code.isupper() else {"required": "FIELD_REQUIRED", "null": "FIELD_REQUIRED"}.get(code, "FIELD_INVALID")
    )


INTERNAL = Fault(
    status=500, code="INTERNAL", title="Something failed on our side.", retryable=True,
    remediation="Try again; when it stays, look at the server's log.",
)  # fmt: skip
_NOT_FOUND = Fault(status=404, code="NOT_FOUND", title="There is no such thing.", remediation="Check the address.")
_FORBIDDEN = Fault(status=403, code="FORBIDDEN", title="This caller may not do that.")
_TOO_LARGE = Fault(status=413, code="BODY_TOO_LARGE", title="The request is too large.")
_MALFORMED = Fault(status=400, code="MALFORMED_REQUEST", title="The request could not be read.")
_DATABASE = Fault(
    status=503, code="DATABASE_UNAVAILABLE", title="The database does not answer.", retryable=True,
    remediation="Try again in a moment.", headers={"Retry-After": "2"},
)  # fmt: skip
_OTHERS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Fault], ...] = (
    (Http404, _NOT_FOUND),
    (PermissionDenied, _FORBIDDEN),
    (RequestDataTooBig, _TOO_LARGE),
    (SuspiciousOperation, _MALFORMED),
    ((OperationalError, InterfaceError), _DATABASE),
)

View = Callable[..., Any]


def answers_problems(view: View) -> View:
    """`view`, a plain Django view, blocking or not, whose exceptions become problem documents."""
    if iscoroutinefunction(view):

        @wraps(view)
        async def watched(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                return cast(HttpResponseBase, await view(request, *args, **kwargs))
            except Exception as exc:
                return respond(explain(exc))

        return watched

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return cast(HttpResponseBase, view(request, *args, **kwargs))
        except Exception as exc:
            return respond(explain(exc))

    return guarded


def allow(request: HttpRequest, *methods: str) -> None:
    """Raises MethodNotAllowed (405) unless the request's method is one of them: for views that DRF does not serve."""
    if request.method not in methods:
        refusal = drf.MethodNotAllowed(str(request.method))
        refusal.allowed = ", ".join(methods)  # type: ignore[attr-defined]
        raise refusal


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler400."""
    if _is_api(request):
        return respond(_TOO_LARGE if isinstance(exception, RequestDataTooBig) else _MALFORMED)
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler403."""
    return respond(_FORBIDDEN) if _is_api(request) else defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404."""
    return respond(_NOT_FOUND) if _is_api(request) else defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Django's handler500; Django has logged the exception already."""
    return respond(INTERNAL) if _is_api(request) else defaults.server_error(request)
