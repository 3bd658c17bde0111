"""/api/secrets: set, list, try and take back keys. What was set is never shown again."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from accounts.models import SecretAccess
from accounts.vault import keeping
from accounts.vault.checking import check
from accounts.vault.credentials import Source, source_for
from accounts.vault.sets import fields_of
from core.api.fields import EpochMs, TextOrNull, one_of
from core.api.filters import moment, parameters, read_filters, text
from core.api.paging import PAGING, paginate, read_limit
from core.errors import NotFound
from providers.registry import PROVIDERS

_FILTERS = (
    text("provider", "provider", hint="a provider's name", about="Keys of that provider."),
    text("runId", "run_id", hint="a run's id", about="For that run."),
    moment("since", "at__gte", about="Then or later, in milliseconds since 1970."),
)


class MaskRow(serializers.Serializer[Any]):
    """What may be shown of one value."""

    name = serializers.CharField()
    lastFour = TextOrNull(source="last_four", help_text="Null where the value is too short to spare them.")
    fingerprint = serializers.CharField(help_text="The same for equal values; it tells nothing else.")


class SecretRow(serializers.Serializer[Any]):
    """A provider's key, masked."""

    provider = serializers.CharField()
    runId = TextOrNull(source="request_ref", help_text="The run that it was sent along with, and is used for alone.")
    values = MaskRow(many=True, source="fields")
    setBy = serializers.CharField(source="set_by")
    createdAt = EpochMs(source="created_at")
    updatedAt = EpochMs(source="updated_at")
    rotatedAt = EpochMs(source="rotated_at", allow_null=True, help_text="When it was last encrypted again.")


class NeededRow(serializers.Serializer[Any]):
    """What a provider's key is made of."""

    provider = serializers.CharField()
    names = serializers.ListField(
        child=serializers.CharField(), help_text="The first is needed, the others belong to it. Empty: no key."
    )
    uses = one_of(
        Source, allow_null=True,
        help_text="Whose key the next run would use; null: there is none, and a live run is refused.",
    )  # fmt: skip


class SecretsDocument(serializers.Serializer[Any]):
    """The keys that are kept, masked, and what each provider needs."""

    secrets = SecretRow(many=True)
    providers = NeededRow(many=True)


class CheckedDocument(serializers.Serializer[Any]):
    """What came of trying a key."""

    provider = serializers.CharField()
    keySource = one_of(Source, source="source", allow_null=True, help_text="Whose key was tried.")
    ok = serializers.BooleanField(source="is_good", allow_null=True, help_text="Null: it cannot be told.")
    code = serializers.CharField(allow_null=True)
    message = serializers.CharField()


class AccessRow(serializers.Serializer[Any]):
    """One time that a key was decrypted."""

    provider = serializers.CharField()
    keySource = serializers.CharField(source="source")
    userId = serializers.SerializerMethodField()
    usedFor = serializers.CharField(source="used_for")
    why = serializers.CharField()
    runId = TextOrNull(source="run_id")
    stepId = TextOrNull(source="step_id")
    attempt = serializers.IntegerField(allow_null=True)
    at = EpochMs()

    def get_userId(self, row: SecretAccess) -> str | None:  # noqa: N802
        """Whose key it was; null for the operator's."""
        return str(row.owner_id) if row.owner_id is not None else None


class AccessPage(serializers.Serializer[Any]):
    """Some accesses, newest first."""

    accesses = AccessRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


_BODY = {
    "application/json": {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "description": "The values by name, all of them: what is left out is deleted.",
    }
}


class _Mine(APIView):
    """Keys of the caller's own."""

    source: Source | None = None

    def enter(self, request: Request) -> tuple[Caller, int | None]:
        """Who calls, and whose keys it is about. Raises CallerUnknown or CallerRefused."""
        caller = caller_of(request)
        caller.require(Scope.SECRETS)
        return caller, caller.known_user.pk

    def list(self, request: Request) -> Response:
        """Masked."""
        _, owner_id = self.enter(request)
        kept = SecretRow(keeping.masked(owner_id), many=True).data
        needed = [self._needed(name, owner_id) for name in sorted(PROVIDERS.entries)]
        return Response({"secrets": kept, "providers": needed})

    def set(self, request: Request, provider: str) -> Response:
        """Set it, and answer with its mask."""
        caller, owner_id = self.enter(request)
        keeping.put(provider, request.data, owner_id=owner_id, by=caller.principal_id)
        kept = [one for one in keeping.masked(owner_id) if (one.provider, one.request_ref) == (provider, "")]
        return Response(SecretRow(kept[0]).data)

    def take_back(self, request: Request, provider: str) -> Response:
        """Delete it, if it is there."""
        _, owner_id = self.enter(request)
        keeping.take_back(provider, owner_id=owner_id)
        return Response(status=204)

    def try_out(self, request: Request, provider: str) -> Response:
        """One call that costs nothing."""
        caller, owner_id = self.enter(request)
        if provider not in PROVIDERS:
            raise NotFound("There is no such provider.")
        checked = check(provider, owner_id=owner_id, used_for=caller.principal_id, source=self.source)
        return Response(CheckedDocument(checked).data)

    def _needed(self, provider: str, owner_id: int | None) -> dict[str, Any]:
        uses = source_for(provider, owner_id=owner_id, source=self.source)
        return {"provider": provider, "names": list(fields_of(provider)), "uses": uses and str(uses)}


class _Operators(_Mine):
    """The operator's own keys, for staff."""

    source = Source.OPERATOR

    def enter(self, request: Request) -> tuple[Caller, int | None]:
        """See _Mine."""
        caller, _ = super().enter(request)
        caller.require_staff()
        return caller, None


class MySecrets(_Mine):
    """The caller's keys."""

    @extend_schema(operation_id="listSecrets", responses=SecretsDocument)
    def get(self, request: Request) -> Response:
        """The caller's keys, masked, and whose key each provider would be asked with."""
        return self.list(request)


class MySecret(_Mine):
    """One key of the caller's."""

    @extend_schema(operation_id="setSecret", request=_BODY, responses=SecretRow)
    def put(self, request: Request, provider: str) -> Response:
        """Set the whole key of a provider, in place of the one there was."""
        return self.set(request, provider)

    @extend_schema(operation_id="deleteSecret", responses={204: None})
    def delete(self, request: Request, provider: str) -> Response:
        """Delete it. Where there is none, nothing happens."""
        return self.take_back(request, provider)


class TestMySecret(_Mine):
    """Whether a key works."""

    @extend_schema(operation_id="testSecret", request=None, responses=CheckedDocument)
    def post(self, request: Request, provider: str) -> Response:
        """Try the key that the caller's next run would use, by one call that costs nothing."""
        return self.try_out(request, provider)


class SecretsOfRun(_Mine):
    """The keys that were sent along with a run."""

    @extend_schema(operation_id="deleteSecretsOfRun", responses={204: None})
    def delete(self, request: Request, run_id: str) -> Response:
        """Delete them now, rather than a day after the run has ended. What is at work cannot be looked at any more."""
        caller, _ = self.enter(request)
        keeping.take_back_of_request(run_id, owner_id=caller.known_user.pk)
        return Response(status=204)


class OperatorSecrets(_Operators):
    """The operator's keys."""

    @extend_schema(operation_id="listOperatorSecrets", responses=SecretsDocument)
    def get(self, request: Request) -> Response:
        """The operator's keys in the vault, masked. Staff only."""
        return self.list(request)


class OperatorSecret(_Operators):
    """One key of the operator's."""

    @extend_schema(operation_id="setOperatorSecret", request=_BODY, responses=SecretRow)
    def put(self, request: Request, provider: str) -> Response:
        """Set it; it goes before the one in the environment. Staff only."""
        return self.set(request, provider)

    @extend_schema(operation_id="deleteOperatorSecret", responses={204: None})
    def delete(self, request: Request, provider: str) -> Response:
        """Delete it; the one in the environment is used again. Staff only."""
        return self.take_back(request, provider)


class TestOperatorSecret(_Operators):
    """Whether the operator's key works."""

    @extend_schema(operation_id="testOperatorSecret", request=None, responses=CheckedDocument)
    def post(self, request: Request, provider: str) -> Response:
        """Try it by one call that costs nothing. Staff only."""
        return self.try_out(request, provider)


class SecretAccesses(_Mine):
    """Who used which key."""

    @extend_schema(
        operation_id="listSecretAccesses",
        responses=AccessPage,
        parameters=[*PAGING, *parameters(_FILTERS)],
    )
    def get(self, request: Request) -> Response:
        """When the caller's keys were decrypted, and what for; staff see everybody's and the operator's."""
        caller, owner_id = self.enter(request)
        rows: QuerySet[SecretAccess] = SecretAccess.objects.all()
        wanted = read_filters(request.query_params, _FILTERS)
        page = paginate(
            (rows if caller.is_staff else rows.filter(owner_id=owner_id)).filter(**wanted),
            keys=("id",),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"accesses": AccessRow(page.items, many=True).data, "nextCursor": page.next_cursor})
