"""POST /api/uploads/sign and …/complete: a file goes to the bucket itself, then is looked at like any other."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from core.api.fields import Address, Count, EpochMs, StrictRequest, Text
from core.api.openapi import OPEN, refusals
from runs import direct_uploads, uploads
from runs.api.uploads import UploadRow
from runs.direct_uploads import Signed


class SignForm(StrictRequest):
    """What is to be sent."""

    name = Text(required=False, max_length=255, help_text="For people; it is not kept.")
    contentType = Text(max_length=80, help_text="What it is believed to be; its bytes have the last word.")
    size = Count(min_value=1, help_text="In bytes, exactly.")


class SignedRow(serializers.Serializer[Signed]):
    """Where the file goes: POST `formFields`, and `file` as the last one, to `url` as multipart/form-data."""

    id = serializers.CharField(source="direct_id")
    url = serializers.CharField(source="form.url")
    formFields = serializers.DictField(source="form.fields", child=serializers.CharField())
    expiresAt = EpochMs(source="ends_at", help_text="Until then the bucket takes it.")
    completeUrl = Address(source="complete_path", help_text="POST to it when the file has been sent.")


class SignUpload(APIView):
    """Send a file to the storage itself."""

    @extend_schema(operation_id="signUpload", auth=OPEN, request=SignForm, responses={201: SignedRow, **refusals(501)})
    def post(self, request: Request) -> Response:
        """201 and a form for one file; 501 where the storage has none: then the file goes to /api/uploads."""
        caller = caller_of(request)
        uploads.admit(caller)
        direct_uploads.require_place()
        said = SignForm(data=request.data)
        said.is_valid(raise_exception=True)
        wanted: dict[str, Any] = said.validated_data
        signed = direct_uploads.sign(caller, content_type=wanted["contentType"], size_bytes=wanted["size"])
        # Whoever has the form may send.
        return Response(SignedRow(signed).data, status=status.HTTP_201_CREATED, headers={"Cache-Control": "no-store"})


class CompleteUpload(APIView):
    """The file has been sent to the storage."""

    @extend_schema(
        operation_id="completeUpload", auth=OPEN, request=None, responses={201: UploadRow, **refusals(409, 413, 501)}
    )
    def post(self, request: Request, direct_id: str) -> Response:
        """201 and its name, as POST /api/uploads answers; nothing is kept of a file that is refused."""
        caller = caller_of(request)
        uploads.admit(caller)
        return Response(UploadRow(direct_uploads.complete(direct_id, caller)).data, status=status.HTTP_201_CREATED)
