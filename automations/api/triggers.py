"""/api/triggers: addresses that start a recipe."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.api.auth import caller_of
from automations import triggers
from automations.api.rows import PAGING, StandingForm, StandingRow, page_of
from automations.api.rows import read as read_form
from automations.models import Trigger
from automations.triggers import Wish
from automations.whose import visible
from core.api.fields import Count, EpochMs, StrictRequest, Text, Usd
from core.api.links import public_url
from core.api.openapi import refusals
from runs.api.keyed import KEY, answer_once
from runs.order import Draft, Mode

#: its address is the key; nobody shows another
_ANYBODY: Any = [{}]
_NAMES = (
    ("allowedInputs", "allowed"),
    ("perMinute", "per_minute"),
    ("maxUsd", "run_cap_usd"),
    ("maxUsdPerDay", "day_cap_usd"),
)


class TriggerRow(StandingRow):
    """A trigger, without what opens it."""

    triggerId = serializers.CharField(source="trigger_id")
    allowedInputs = serializers.ListField(child=serializers.CharField(), source="allowed")
    maxUsdPerDay = Usd(source="day_cap_usd", allow_null=True)
    perMinute = serializers.IntegerField(source="per_minute")
    state = serializers.SerializerMethodField(help_text="live or revoked.")
    rotatedAt = EpochMs(source="rotated_at", allow_null=True)
    lastUsedAt = EpochMs(source="last_used_at", allow_null=True)
    revokedAt = EpochMs(source="revoked_at", allow_null=True)

    def get_state(self, trigger: Trigger) -> str:
        """Whether it opens anything."""
        return "live" if trigger.revoked_at is None else "revoked"


class ShownTriggerRow(TriggerRow):
    """A trigger, this once."""

    token = serializers.SerializerMethodField(help_text="It is not shown again.")
    url = serializers.SerializerMethodField(help_text="POST here to start a run.")

    def get_token(self, trigger: Trigger) -> str:
        """The end of the address."""
        return str(self.context["token"])

    def get_url(self, trigger: Trigger) -> str:
        """The address."""
        return public_url(f"/api/triggers/{self.context['token']}/fire")


class TriggerPage(serializers.Serializer[Any]):
    """Some triggers, newest first."""

    triggers = TriggerRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class TriggerForm(StandingForm):
    """A trigger that is wanted: `inputs` are fixed, `allowedInputs` are left to whoever calls."""

    allowedInputs = serializers.ListField(child=Text(max_length=100), required=False, max_length=100)
    perMinute = Count(required=False, min_value=1, max_value=600, help_text="How often it may be called; 10.")
    maxUsdPerDay = Usd(required=False, allow_null=True, help_text="For all runs of a UTC day. Live needs it.")


class FireForm(StrictRequest):
    """What a caller may say."""

    inputs = serializers.DictField(required=False, help_text="Those that the trigger's owner left open.")


class FiredDocument(serializers.Serializer[Any]):
    """A run that will begin in a moment. It is its owner's to look at."""

    runId = serializers.CharField()
    status = serializers.CharField(help_text="Always queued.")
    statusUrl = serializers.CharField()


class Triggers(APIView):
    """The caller's triggers."""

    @extend_schema(operation_id="listTriggers", responses=TriggerPage, parameters=PAGING)
    def get(self, request: Request) -> Response:
        """Newest first, revoked ones too; staff see everybody's."""
        rows = visible(Trigger.objects.all(), caller_of(request))
        return page_of(request, rows, name="triggers", row=TriggerRow)

    @extend_schema(operation_id="createTrigger", request=TriggerForm, responses={201: ShownTriggerRow, **refusals(404)})
    def post(self, request: Request) -> Response:
        """A new trigger. Its address is shown this once."""
        caller = caller_of(request)
        caller.known_user  # noqa: B018 (401 before 422)
        said = read_form(TriggerForm(data=request.data), _NAMES)
        wish = Wish(**{**said, "mode": Mode(said.get("mode", "mock")), "allowed": tuple(set(said.get("allowed", ())))})
        trigger, plain = triggers.make_trigger(wish, caller)
        trigger.refresh_from_db()
        return _shown(trigger, plain, status=201)


class TriggerView(APIView):
    """One trigger."""

    @extend_schema(operation_id="revokeTrigger", responses={204: None})
    def delete(self, request: Request, trigger_id: str) -> Response:
        """Revoke it: it opens nothing from now on. It stays in the list."""
        triggers.revoke_trigger(trigger_id, caller_of(request), at=timezone.now())
        return Response(status=204)


class RotateTrigger(APIView):
    """A trigger that changes."""

    @extend_schema(operation_id="rotateTrigger", request=None, responses=ShownTriggerRow)
    def post(self, request: Request, trigger_id: str) -> Response:
        """The same trigger at a new address, shown this once; the old one opens nothing any more."""
        trigger, plain = triggers.rotate_trigger(trigger_id, caller_of(request), at=timezone.now())
        return _shown(trigger, plain, status=200)


class FireTrigger(APIView):
    """The address itself. Whoever knows it is let in; nobody else, whoever they are."""

    authentication_classes = ()

    @extend_schema(
        operation_id="fireTrigger",
        request=FireForm,
        responses={202: FiredDocument, **refusals(402, 409)},
        parameters=KEY,
        auth=_ANYBODY,
    )
    def post(self, request: Request, trigger_token: str) -> Response:
        """Start a run of the trigger's owner. With an Idempotency-Key it is started once."""
        trigger = triggers.open_trigger(trigger_token)
        caller = triggers.caller_of(trigger)
        form = FireForm(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data.get("inputs", {})
        now = timezone.now()

        def commit(drafted: Draft) -> idempotency.Answer:
            run_id = triggers.fire(trigger, drafted, caller, at=now).run_id
            body = {"runId": run_id, "status": "queued", "statusUrl": public_url(f"/api/runs/{run_id}")}
            return idempotency.Answer(status=202, body=body, run_id=run_id)

        return answer_once(
            request,
            caller,
            prepare=lambda: triggers.prepare(trigger, given, caller, at=now),
            commit=commit,
            hashed={"inputs": given},
        )


def _shown(trigger: Trigger, plain: str, *, status: int) -> Response:
    row = ShownTriggerRow(trigger, context={"token": plain}).data
    return Response(row, status=status, headers={"Cache-Control": "no-store"})
