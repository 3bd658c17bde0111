"""The addresses of flows themselves."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.paging import paginate
from core.errors import BadInput, Problem
from flows import manifests, queries
from flows.api import documents, rows
from flows.api.asks import body_of, limit_of
from flows.api.door import Door
from flows.models import FlowManifest


class Manifests(Door):
    """Which flows there are."""

    @extend_schema(
        operation_id="listFlowManifests",
        tags=["flows"],
        auth=rows.READ,
        parameters=[rows.CURSOR, rows.LIMIT],
        responses=rows.FlowManifestPage,
    )
    def get(self, request: Request) -> Response:
        """Flows in the order in which they were first synced."""
        found = FlowManifest.objects.filter(deleted_at=None)
        page = paginate(
            found, keys=("id",), descending=False, cursor=request.query_params.get("cursor"), limit=limit_of(request)
        )
        body = {"manifests": [documents.manifest_document(row) for row in page.items]}
        return Response({**body, "nextCursor": page.next_cursor} if page.next_cursor else body)


class OneManifest(Door):
    """One flow."""

    rights = {"PUT": "may_work", "DELETE": "may_send"}

    @extend_schema(operation_id="getFlowManifest", tags=["flows"], auth=rows.READ, responses=rows.FlowManifestDocument)
    def get(self, request: Request, name: str) -> Response:
        """The flow as it was last synced."""
        return Response({"manifest": documents.manifest_document(queries.get_manifest(name))})

    @extend_schema(
        operation_id="syncFlowManifest",
        tags=["flows"],
        auth=rows.READ,
        request=rows.FlowManifestBody,
        responses={200: rows.FlowSynced, 201: rows.FlowSynced},
    )
    def put(self, request: Request, name: str) -> Response:
        """Store a manifest in the place of what its name had."""
        body = body_of(request)
        if body.get("name", name) != name:
            message = "The name in the body is not the one in the address."
            raise BadInput(message, problems=[Problem(code="MANIFEST_INVALID", message=message, path="name")])
        row, is_new = manifests.sync({**body, "name": name})
        done = {"status": "created" if is_new else "updated", "manifest": documents.manifest_document(row)}
        return Response(done, status=201 if is_new else 200)

    @extend_schema(operation_id="deleteFlowManifest", tags=["flows"], auth=rows.SEND, responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Take the flow away; its runs and its history stay."""
        queries.get_manifest(name)
        manifests.delete(name)
        return Response(status=204)


class Enable(Door):
    """A flow that events may start again."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="enableFlowManifest",
        tags=["flows"],
        auth=rows.SEND,
        request=None,
        responses=rows.FlowManifestDocument,
    )
    def post(self, request: Request, name: str) -> Response:
        """Let events start its steps."""
        return _switched(name, disabled=False)


class Disable(Door):
    """A flow that events may not start."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="disableFlowManifest",
        tags=["flows"],
        auth=rows.SEND,
        request=None,
        responses=rows.FlowManifestDocument,
    )
    def post(self, request: Request, name: str) -> Response:
        """Let events start nothing of it; runs that there are go on."""
        return _switched(name, disabled=True)


def _switched(name: str, *, disabled: bool) -> Response:
    queries.get_manifest(name)
    return Response({"manifest": documents.manifest_document(manifests.set_disabled(name, disabled))})
