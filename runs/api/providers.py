"""/api/providers: what each provider could do for the caller, and whether it answers."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from accounts.vault.checking import reach_with_keys
from accounts.vault.credentials import Source
from core.api.fields import EpochMs, StrictRequest, Text, TextOrNull, Usd, one_of
from core.errors import BadInput, Problem
from providers.registry import PROVIDERS
from runs.api.rows import Char, Int
from runs.vendors import Deaf, Pause, PricedBy, PriceState, Vendor, survey


class ListedModel(serializers.Serializer[Any]):
    """A model that is listed."""

    model = Char()
    kinds = serializers.ListField(source="makes", child=Char())
    price = serializers.ChoiceField(
        choices=[str(state) for state in PriceState], help_text="Unless priced, a live run with it is refused."
    )


class WebhooksRow(serializers.Serializer[Any]):
    """Whether the provider calls when a job has ended."""

    proof = serializers.ChoiceField(source="webhooks", choices=["none", "signed", "token"])
    on = serializers.SerializerMethodField()
    offReason = serializers.ChoiceField(source="deaf", choices=[str(why) for why in Deaf], allow_null=True)

    def get_on(self, vendor: Vendor) -> bool:
        """Without it jobs are polled."""
        return vendor.deaf is None


class PausedModel(serializers.Serializer[Any]):
    """A model that failed so often that it is left alone for a while."""

    model = TextOrNull()
    status = serializers.ChoiceField(choices=["open", "half_open"], help_text="half_open: one try is out to see.")
    error = TextOrNull(help_text="Code of the newest failure.")
    retryAt = EpochMs(source="retry_at")


class PausedAccount(serializers.Serializer[Any]):
    """The account that the caller's run would use: the provider asked us to slow down."""

    pausedUntil = EpochMs(source="account.paused_until")
    requestsPerS = serializers.SerializerMethodField()
    jobsInFlight = serializers.SerializerMethodField()
    dayCapUsd = serializers.SerializerMethodField()

    def get_requestsPerS(self, pause: Pause) -> float | None:  # noqa: N802
        """As the operator set it. Null: not set, or none of the caller's business, as are the other two."""
        rate = pause.account.requests_per_s if pause.shows_limits else None
        return None if rate is None else float(rate)

    def get_jobsInFlight(self, pause: Pause) -> int | None:  # noqa: N802
        """At once."""
        return pause.account.jobs_in_flight if pause.shows_limits else None

    def get_dayCapUsd(self, pause: Pause) -> float | None:  # noqa: N802
        """What a UTC day's submissions may cost."""
        cap = pause.account.day_cap_usd if pause.shows_limits else None
        return None if cap is None else Usd().to_representation(cap)


class ProviderRow(serializers.Serializer[Any]):
    """A provider, as the caller finds it."""

    provider = Char(source="name")
    kinds = serializers.ListField(source="makes", child=Char(), help_text="The kinds of steps that it can make.")
    configured = serializers.BooleanField(source="is_configured")
    keySource = one_of(
        Source, source="source", allow_null=True,
        help_text="Whose key the caller's next run would use; null: there is none.",
    )  # fmt: skip
    missing = serializers.ListField(
        child=Char(), help_text="Variables that the operator would have to set; a key of the caller's own will do too."
    )
    host = Char(allow_null=True, help_text="Null: none, or the operator's own, which only staff see.")
    pricedBy = serializers.ChoiceField(source="priced_by", choices=[str(who) for who in PricedBy])
    models = ListedModel(many=True, help_text="Those that are listed; recipes may bring workflows of their own.")
    webhooks = WebhooksRow(source="*")
    pausedModels = PausedModel(source="circuits", many=True)
    pausedAccount = PausedAccount(source="pause", allow_null=True)


class ProvidersDocument(serializers.Serializer[Any]):
    """Every provider, by name."""

    providers = ProviderRow(many=True)


class ReachRequest(StrictRequest):
    """Whom to ask."""

    providers = serializers.ListField(
        child=Text(max_length=40), required=False, min_length=1, max_length=100, help_text="By default all."
    )


class ReachedRow(serializers.Serializer[Any]):
    """What came of asking a provider."""

    provider = Char()
    reachable = serializers.BooleanField(
        source="reached.answers", allow_null=True, help_text="Any answer will do. Null: there is no address to ask."
    )
    keyOk = serializers.BooleanField(
        source="reached.takes_key", allow_null=True, help_text="Null: there is no key to try, or it cannot be told."
    )
    code = Char(source="reached.code", allow_null=True)
    message = Char(source="reached.message")
    tookMs = Int(source="reached.took_ms")


class ReachedDocument(serializers.Serializer[Any]):
    """What came of it."""

    results = ReachedRow(many=True)


class Providers(APIView):
    """The providers."""

    @extend_schema(operation_id="listProviders", responses=ProvidersDocument)
    def get(self, request: Request) -> Response:
        """What each could do for the caller. Nobody is asked, and nothing decrypted."""
        caller = caller_of(request)
        caller.require(Scope.READ)
        found = survey(owner_id=caller.known_user.pk, is_staff=caller.is_staff, today=timezone.now().date())
        return Response({"providers": ProviderRow(found, many=True).data})


class ReachProviders(APIView):
    """Whether providers answer."""

    @extend_schema(operation_id="reachProviders", request=ReachRequest, responses=ReachedDocument)
    def post(self, request: Request) -> Response:
        """Ask providers, all at once and with the caller's keys where there are any, by calls that cost nothing."""
        caller = caller_of(request)
        caller.require(Scope.SECRETS)
        body = ReachRequest(data=request.data)
        body.is_valid(raise_exception=True)
        names = _known(body.validated_data.get("providers"))
        reached = reach_with_keys(names, owner_id=caller.known_user.pk, used_for=caller.principal_id)
        rows = [{"provider": name, "reached": one} for name, one in reached.items()]
        return Response({"results": ReachedRow(rows, many=True).data})


def _known(names: list[str] | None) -> list[str]:
    """Those names, each once, or all. Raises BadInput, naming what is no provider."""
    if names is None:
        return sorted(PROVIDERS.entries)
    problems = [
        Problem(code="PROVIDER_UNKNOWN", message="There is no such provider.", path=f"providers[{index}]")
        for index, name in enumerate(names)
        if name not in PROVIDERS
    ]
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return sorted(set(names))
