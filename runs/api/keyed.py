"""A request that may carry an Idempotency-Key, and then is carried out once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import idempotency
from accounts.caller import Caller

T = TypeVar("T")
_HEADER = "Idempotency-Key"
KEY = OpenApiParameter(_HEADER, str, OpenApiParameter.HEADER, description="The same key and body: carried out once.")


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
    headers = {"Idempotency-Replayed": "true"} if given.replayed else {}
    if given.status == 202:
        headers["Location"] = given.body["statusUrl"]
    return Response(given.body, status=given.status, headers=headers)
