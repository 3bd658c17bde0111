"""A request that may carry an Idempotency-Key, and then is carried out once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import idempotency
from accounts.caller import Caller
from core.api.openapi import answer_header
from runs.queries import RunDeleted

T = TypeVar("T")
_HEADER = "Idempotency-Key"
#: for `extend_schema(parameters=…)` of what is carried out once
KEY = [
    OpenApiParameter(
        _HEADER,
        {"type": "string", "pattern": "^[ -~]{1,255}$"},
        OpenApiParameter.HEADER,
        description="The same key and body: carried out once.",
    ),
    answer_header("Idempotency-Replayed", "`true`: this is the first answer again.", on=[200, 201, 202]),
]
LOCATION = answer_header("Location", "Where the run is read: `statusUrl`.", on=[202])


def answer_once(
    request: Request,
    caller: Caller,
    *,
    prepare: Callable[[], T],
    commit: Callable[[T], idempotency.Answer],
    hashed: Mapping[str, Any] | None = None,
) -> Response:
    """Its answer, or with a key that was used before the first one. Both functions as for `idempotency.once`.

    `hashed` stands for the body where that holds what no hash may be kept of.
    """
    key = request.headers.get(_HEADER)
    if key is None:
        given = commit(prepare())
    else:
        given = idempotency.once(
            principal=caller.key_scope,
            key=key,
            request_hash=idempotency.hash_request("POST", request.path, request.data if hashed is None else hashed),
            prepare=prepare,
            commit=commit,
        )
    if given.status == idempotency.GONE:
        raise RunDeleted(f"The run {given.run_id} was deleted.")
    headers = {"Idempotency-Replayed": "true"} if given.replayed else {}
    if given.status == 202:
        headers["Location"] = given.body["statusUrl"]
    return Response(given.body, status=given.status, headers=headers)
