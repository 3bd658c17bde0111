"""/api/runs/{runId}/share: show a run to somebody who has no account."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from core.api.fields import Count, EpochMs, StrictRequest
from core.api.links import public_url
from core.api.paging import PAGING, paginate, read_limit
from runs import shares
from runs.models import RunShare

_DAY_S = 86_400


class ShareRow(serializers.Serializer[Any]):
    """A read token, without what opens the run."""

    shareId = serializers.CharField(source="share_id")
    state = serializers.SerializerMethodField(help_text="live, expired or revoked.")
    sharedBy = serializers.CharField(source="shared_by")
    createdAt = EpochMs(source="created_at")
    expiresAt = EpochMs(source="expires_at")
    lastUsedAt = EpochMs(source="last_used_at", allow_null=True, help_text="To the minute.")
    revokedAt = EpochMs(source="revoked_at", allow_null=True)

    def get_state(self, share: RunShare) -> str:
        """Whether it opens the run now."""
        if share.revoked_at is not None:
            return "revoked"
        return "live" if share.is_live(at=timezone.now()) else "expired"


class ShownShareRow(ShareRow):
    """A read token, this once."""

    token = serializers.SerializerMethodField(help_text="It is not shown again.")
    url = serializers.SerializerMethodField(help_text="The run, opened by it.")

    def get_token(self, share: RunShare) -> str:
        """What opens the run, as `?token=`."""
        return str(self.context["token"])

    def get_url(self, share: RunShare) -> str:
        """Where the run is read with it."""
        return public_url(f"/api/runs/{share.run.run_id}?token={self.context['token']}")


class SharePage(serializers.Serializer[Any]):
    """Some read tokens of a run, newest first."""

    shares = ShareRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class ShareForm(StrictRequest):
    """How long the run is shown."""

    expiresInS = Count(
        required=False, min_value=60, max_value=90 * _DAY_S, help_text="In seconds; a week unless given."
    )


class Shares(APIView):
    """The read tokens of a run."""

    @extend_schema(
        operation_id="listShares",
        responses=SharePage,
        parameters=PAGING,
    )
    def get(self, request: Request, run_id: str) -> Response:
        """Newest first, those that ended too."""
        page = paginate(
            shares.shares_of(run_id, caller_of(request)),
            keys=("id",),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"shares": ShareRow(page.items, many=True).data, "nextCursor": page.next_cursor})

    @extend_schema(operation_id="shareRun", request=ShareForm, responses={201: ShownShareRow})
    def post(self, request: Request, run_id: str) -> Response:
        """A token for whoever should look at this run, its assets, its log and its stream, and at nothing else."""
        caller = caller_of(request)
        run = shares.own_run(run_id, caller)
        read = ShareForm(data=request.data)
        read.is_valid(raise_exception=True)
        lasts = timedelta(seconds=read.validated_data.get("expiresInS", 7 * _DAY_S))
        share, plain = shares.make_share(run, caller, lasts=lasts, at=timezone.now())
        row = ShownShareRow(share, context={"token": plain}).data
        return Response(row, status=201, headers={"Cache-Control": "no-store"})


class Share(APIView):
    """One read token."""

    @extend_schema(operation_id="revokeShare", responses={204: None})
    def delete(self, request: Request, run_id: str, share_id: str) -> Response:
        """Revoke it: it opens nothing from now on; a stream that is open ends within a minute."""
        shares.revoke_share(run_id, share_id, caller_of(request))
        return Response(status=204)
