"""/api/prices: what models cost here, setting it by hand, and asking the vendors. Staff only."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from accounts.models import OperatorPrice
from accounts.pricing import book
from accounts.pricing.book import Entry
from accounts.pricing.sync import REFUSED, Line, Synced, sync, tellers
from core.api.fields import EpochMs, Flag, StrictRequest, Text, Usd
from core.api.openapi import refusals
from core.api.paging import PAGING, paginate_sorted, read_limit
from core.errors import BadInput, Problem
from providers import prices
from providers.prices import Price, PriceBook, read_variant


class PriceRow(serializers.Serializer[Any]):
    """What one unit of a model costs."""

    provider = serializers.CharField()
    model = serializers.CharField()
    variant = serializers.CharField(help_text="What it is asked for, such as resolution=1080p; empty: anything.")
    unit = serializers.CharField()
    usd = Usd()
    source = serializers.CharField(help_text="Where it was read.")  # type: ignore[assignment]
    verifiedAt = serializers.DateField(source="verified_at")
    ageDays = serializers.IntegerField(help_text="Since then.")
    stale = serializers.BooleanField(help_text="Too old to spend money by: a live run is refused.")
    setBy = serializers.ChoiceField(choices=["book", "operator"], help_text="Who says so.")


class PricesDocument(serializers.Serializer[Any]):
    """Some of the book as it counts now, by provider, model and variant."""

    prices = PriceRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class PriceRequest(StrictRequest):
    """A price to set, or, with `usd` null, to take back."""

    provider = Text(max_length=40)
    model = Text(max_length=200)
    variant = Text(max_length=200, required=False, allow_blank=True, default="")
    unit = Text(max_length=12, required=False, allow_blank=True, default="", help_text="Not needed to take it back.")
    usd = Usd(allow_null=True, help_text="For one unit; null: there is no price any more.")
    source = Text(  # type: ignore[assignment]
        max_length=200, help_text="Where it was read, or why it is taken back."
    )
    verifiedAt = serializers.DateField(required=False, help_text="When it was read there; today unless given.")


class SetRow(serializers.Serializer[Any]):
    """A price as it was set. Rows are never changed."""

    provider = serializers.CharField()
    model = serializers.CharField()
    variant = serializers.CharField()
    unit = serializers.CharField(help_text="Empty where the price was taken back.")
    usd = Usd(allow_null=True)
    source = serializers.CharField()  # type: ignore[assignment]
    verifiedAt = serializers.DateField(source="verified_at")
    setBy = serializers.CharField(source="set_by")
    setAt = EpochMs(source="set_at")


class HistoryDocument(serializers.Serializer[Any]):
    """What the operator set for one model and variant, newest first."""

    history = SetRow(many=True)


class SyncRequest(StrictRequest):
    """Whom to ask."""

    providers = serializers.ListField(
        child=Text(max_length=40), required=False, max_length=40, help_text="All that can be asked, unless given."
    )
    dryRun = Flag(required=False, default=False, help_text="Write nothing.")


class LineRow(serializers.Serializer[Any]):
    """What came of one price."""

    model = serializers.CharField()
    variant = serializers.CharField()
    unit = serializers.CharField(allow_null=True)
    oldUsd = Usd(allow_null=True)
    newUsd = Usd(allow_null=True, help_text="What the vendor says, taken or not.")
    taken = serializers.BooleanField()
    changed = serializers.BooleanField()
    code = serializers.CharField(allow_null=True, help_text="Why it was not taken.")
    message = serializers.CharField(allow_null=True)


class SyncedRow(serializers.Serializer[Any]):
    """What came of asking one vendor."""

    provider = serializers.CharField()
    prices = LineRow(many=True)
    code = serializers.CharField(allow_null=True, help_text="Why it could not be asked.")
    message = serializers.CharField(allow_null=True)


class SyncDocument(serializers.Serializer[Any]):
    """What came of asking them."""

    dryRun = serializers.BooleanField()
    results = SyncedRow(many=True)


class Prices(APIView):
    """The book."""

    @extend_schema(
        operation_id="listPrices",
        responses=PricesDocument,
        parameters=[*PAGING, OpenApiParameter("provider", str, description="Only of this one.")],
    )
    def get(self, request: Request) -> Response:
        """The prices that count now, by provider, model and variant. Staff only."""
        caller_of(request).require_staff()
        asked, now, shipped = request.query_params, book.current(), prices.load()
        page = paginate_sorted(
            (price for price in now if asked.get("provider") in (None, "", price.provider)),
            key=lambda price: price.key,
            parts=3,
            cursor=asked.get("cursor"),
            limit=read_limit(asked.get("limit")),
        )
        rows = [_row(price, now, is_shipped=shipped.get(price.key) == price, today=_today()) for price in page.items]
        return Response({"prices": PriceRow(rows, many=True).data, "nextCursor": page.next_cursor})

    @extend_schema(operation_id="setPrice", request=PriceRequest, responses=SetRow)
    def post(self, request: Request) -> Response:
        """Set a price, or take it back; plans are made by it from then on. Staff only."""
        caller = _staff(request)
        body = PriceRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given, today = body.validated_data, _today()
        entry = Entry(
            provider=given["provider"],
            model=given["model"],
            variant=given["variant"],
            unit=given["unit"],
            usd=given["usd"],
            source=given["source"],
            verified_at=given.get("verifiedAt", today),
        )
        return Response(SetRow(book.put(entry, by=caller.principal_id, today=today)).data)


class PriceHistory(APIView):
    """How a price came about."""

    @extend_schema(
        operation_id="listPriceHistory",
        responses=HistoryDocument,
        parameters=[
            OpenApiParameter("provider", str, required=True),
            OpenApiParameter("model", str, required=True),
            OpenApiParameter("variant", str, description="Empty unless given."),
        ],
    )
    def get(self, request: Request) -> Response:
        """What the operator set for it, newest first. Staff only."""
        caller_of(request).require_staff()
        asked = request.query_params
        provider, model = (_word(asked.get(name, ""), name) for name in ("provider", "model"))
        try:
            variant = read_variant(_word(asked.get("variant", ""), "variant"))
        except ValueError as exc:
            raise _no_parameter("variant", str(exc)) from None
        rows: list[OperatorPrice] = book.history((provider, model, variant))
        return Response({"history": SetRow(rows, many=True).data})


class SyncPrices(APIView):
    """Asking the vendors."""

    @extend_schema(operation_id="syncPrices", request=SyncRequest, responses={200: SyncDocument, **refusals(404)})
    def post(self, request: Request) -> Response:
        """Ask vendors that have a list of prices, with the operator's keys; take what can be taken. Staff only."""
        caller = _staff(request)
        body = SyncRequest(data=request.data)
        body.is_valid(raise_exception=True)
        dry_run = body.validated_data["dryRun"]
        names = dict.fromkeys(body.validated_data.get("providers") or tellers())
        found = [sync(name, by=caller.principal_id, today=_today(), dry_run=dry_run) for name in names]
        return Response({"dryRun": dry_run, "results": [_synced(one) for one in found]})


def _staff(request: Request) -> Caller:
    caller = caller_of(request)
    caller.require_staff()
    caller.require(Scope.PRICES)
    return caller


def _word(text: str, name: str) -> str:
    if "\0" in text or len(text) > 200:
        raise _no_parameter(name, f"There is no such {name}.")
    return text


def _no_parameter(name: str, sentence: str) -> BadInput:
    return BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path=name)])


def _today() -> date:
    return datetime.now(UTC).date()


def _row(price: Price, now: PriceBook, *, is_shipped: bool, today: date) -> dict[str, Any]:
    return {
        "provider": price.provider,
        "model": price.model,
        "variant": price.variant,
        "unit": price.unit,
        "usd": price.usd,
        "source": price.source,
        "verified_at": price.verified_at,
        "ageDays": (today - price.verified_at).days,
        "stale": now.is_stale(price, today=today),
        "setBy": "book" if is_shipped else "operator",
    }


def _synced(one: Synced) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "prices": [_line(line) for line in one.lines],
        "code": one.code,
        "message": one.message or None,
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "model": line.model,
        "variant": line.variant,
        "unit": line.unit or (line.old.unit if line.old else None),
        "oldUsd": _number(line.old.usd if line.old else None),
        "newUsd": _number(line.new),
        "taken": line.code is None,
        "changed": line.is_changed,
        "code": line.code,
        "message": line.code and REFUSED[line.code],
    }


def _number(usd: Decimal | None) -> float | None:
    return None if usd is None else float(usd)
