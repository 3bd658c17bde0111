"""POST /api/uploads: one file, as multipart/form-data. It goes to disk as it comes in, never into memory."""

from pathlib import Path
from typing import Any, NoReturn

from django.core.files.uploadhandler import StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from core.api.fields import EpochMs
from core.api.openapi import OPEN
from core.errors import Refused
from providers.sniff import HEAD_BYTES
from runs import uploads
from runs.models import Upload


class UploadMissing(Refused):
    """The form holds no file, or more than one."""

    code = "UPLOAD_MISSING"
    title = "The form does not hold one file."
    status = 400
    remediation = "Send one file, in a field called file."


class UploadForm(serializers.Serializer[Any]):
    """What is sent."""

    file = serializers.FileField()


class UploadRow(serializers.Serializer[Upload]):
    """A file that runs may be given, as `upload:{uploadId}`."""

    uploadId = serializers.CharField(source="upload_id")
    contentType = serializers.CharField(source="content_type", help_text="What its bytes are.")
    sizeBytes = serializers.IntegerField(source="size_bytes")
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    durationS = serializers.FloatField(source="duration_s", allow_null=True)
    expiresAt = EpochMs(source="expires_at", help_text="Until then a run must have used it.")


class Uploads(APIView):
    """Send a file."""

    parser_classes = (MultiPartParser,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The body is read by whoever asks for it first, so what reads it is set before anybody can."""
        self._incoming = _Incoming(request)
        request.upload_handlers = [self._incoming]
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        operation_id="upload", auth=OPEN, request={"multipart/form-data": UploadForm}, responses={201: UploadRow}
    )
    def post(self, request: Request) -> Response:
        """201 and its name; nothing is kept of a file that is refused."""
        caller = caller_of(request)
        uploads.admit(caller)
        self._incoming.is_known = caller.is_known
        files = request.FILES.getlist("file")
        if self._incoming.refusal is not None:
            raise self._incoming.refusal
        if len(files) != 1 or len(request.FILES) != 1:
            raise UploadMissing
        upload = uploads.keep(Path(files[0].temporary_file_path()), caller)
        return Response(UploadRow(upload).data, status=status.HTTP_201_CREATED)


class _Incoming(TemporaryFileUploadHandler):
    """Writes the file to disk; ends an upload that is too large, or no media, while it is coming in."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        user = getattr(request, "user", None)  # a browser's; who shows a token is known once it has been read
        self.is_known = bool(user and user.is_authenticated)
        self.refusal: Refused | None = None
        self._files, self._head, self._size, self._most = 0, b"", 0, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """There is one."""
        self._files += 1
        if self._files > 1:
            self._refuse(UploadMissing())
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Judges the file by its beginning, then counts."""
        self._size += len(raw_data)
        if not self._most:
            self._head += raw_data
            if len(self._head) >= HEAD_BYTES:
                try:
                    self._most = uploads.most_bytes(self._head[:HEAD_BYTES], is_known=self.is_known)
                except Refused as exc:
                    self._refuse(exc)
        elif self._size > self._most:
            self._refuse(uploads.UploadTooLarge())
        super().receive_data_chunk(raw_data, start)

    def _refuse(self, refusal: Refused) -> NoReturn:
        """Django closes and deletes the file; the view says why. The rest of the body is not read."""
        self.refusal = refusal
        raise StopUpload(connection_reset=True)
