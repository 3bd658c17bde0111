"""/api/batches: many runs of one recipe."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.api.auth import caller_of
from automations import batches, begin, sheet
from automations.api.rows import PAGING, FiringPage, Reason, StandingForm, StandingRow, page_of, page_of_firings, reason
from automations.api.rows import read as read_form
from automations.batches import Quote, Wish
from automations.models import Batch, Firing
from automations.whose import find, visible
from core.api.fields import EpochMs, Flag, StrictRequest, Text, Usd
from core.api.openapi import refusals
from core.api.parsers import MEGABYTE, JsonObjectParser
from core.money import ZERO
from runs.api.keyed import KEY, answer_once
from runs.order import Mode

_NAMES = (("maxUsdPerRun", "run_cap_usd"), ("maxUsd", "cap_usd"))


class BatchParser(JsonObjectParser):
    """A file of 1 MB may be twice as long as a JSON text."""

    max_bytes = 3 * MEGABYTE

    def media_bytes(self, data: Any) -> int:
        """What the rows add; `sheet` says how long they may be."""
        rows = data.get("rows")
        return 2 * len(rows.encode(errors="replace")) if isinstance(rows, str) else 0


class BatchRow(StandingRow):
    """A batch."""

    batchId = serializers.CharField(source="batch_id")
    maxUsd = Usd(source="cap_usd", help_text="For all rows together.")
    maxUsdPerRun = Usd(source="run_cap_usd", allow_null=True)
    rowCount = serializers.IntegerField(source="row_count")
    quoteUsd = Usd(source="quote_usd", help_text="Of all rows' first attempts.")
    mostUsd = Usd(source="most_usd", help_text="With every further try; the cap may be lower.")
    status = serializers.CharField(help_text="open, canceling, done or canceled.")
    reason = serializers.SerializerMethodField(help_text="Why no further row begins now.")
    finishedAt = EpochMs(source="finished_at", allow_null=True)

    @extend_schema_field(Reason(allow_null=True))
    def get_reason(self, batch: Batch) -> dict[str, Any] | None:
        """None while rows begin."""
        return reason(batch.reason)


class BatchPage(serializers.Serializer[Any]):
    """Some batches, newest first."""

    batches = BatchRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class BatchCounts(serializers.Serializer[Any]):
    """How many rows stand where."""

    due = serializers.IntegerField()
    started = serializers.IntegerField()
    waiting = serializers.IntegerField(help_text="Of those started: how many wait for a person.")
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    canceled = serializers.IntegerField()
    refused = serializers.IntegerField()


class BatchDocument(FiringPage):
    """A batch, what became of it so far, and some of its rows, in their order."""

    batch = BatchRow()
    counts = BatchCounts()
    costUsd = Usd(help_text="Of all its runs so far.")
    heldUsd = Usd(help_text="What those at work may still cost.")


class QuoteDocument(serializers.Serializer[Any]):
    """What a batch would cost. Nothing was stored."""

    slug = serializers.CharField()
    version = serializers.IntegerField(allow_null=True)
    mode = serializers.CharField()
    rowCount = serializers.IntegerField()
    quoteUsd = Usd()
    mostUsd = Usd()
    maxUsd = Usd()


class BatchForm(StandingForm):
    """A batch that is wanted. `inputs` are for every row that does not say otherwise."""

    format = serializers.ChoiceField(choices=list(sheet.FORMATS))
    rows = Text(max_length=2 * MEGABYTE, help_text="The file's text: at most 1 MB and 1,000 rows.")
    maxUsd = Usd(help_text="What all rows together may cost; 0 for the mock.")
    maxUsdPerRun = Usd(required=False, allow_null=True, help_text="What one may cost, below the recipe's cap.")
    dryRun = Flag(required=False, help_text="Only say what it would cost.")


class ResumeForm(StrictRequest):
    """More money for a batch."""

    maxUsd = Usd(help_text="What all rows together may cost from now on; not less than before.")


class Batches(APIView):
    """The caller's batches."""

    parser_classes = (BatchParser,)

    @extend_schema(operation_id="listBatches", responses=BatchPage, parameters=PAGING)
    def get(self, request: Request) -> Response:
        """Newest first; staff see everybody's."""
        rows = visible(Batch.objects.all(), caller_of(request))
        return page_of(request, rows, name="batches", row=BatchRow)

    @extend_schema(
        operation_id="createBatch",
        request=BatchForm,
        responses={200: QuoteDocument, 201: BatchRow, **refusals(402, 404, 409)},
        parameters=KEY,
    )
    def post(self, request: Request) -> Response:
        """All rows are checked and quoted first; then they begin little by little. With dryRun 200 and a quote."""
        caller = caller_of(request)
        caller.known_user  # noqa: B018 (401 before 422)
        said = read_form(BatchForm(data=request.data), _NAMES)
        text, form, is_dry = said.pop("rows"), said.pop("format"), said.pop("dryRun", False)
        wish = Wish(**{**said, "mode": Mode(said.get("mode", "mock"))})

        def prepare() -> Quote:
            return batches.quote(wish, sheet.read(text, form), caller, at=timezone.now())

        def commit(quoted: Quote) -> idempotency.Answer:
            batch = batches.make_batch(wish, quoted, caller)
            batch.refresh_from_db()
            return idempotency.Answer(status=201, body=dict(BatchRow(batch).data))

        if is_dry:
            return Response(_quote(wish, prepare()))
        return answer_once(request, caller, prepare=prepare, commit=commit)


class BatchView(APIView):
    """One batch."""

    @extend_schema(operation_id="getBatch", responses=BatchDocument, parameters=PAGING)
    def get(self, request: Request, batch_id: str) -> Response:
        """Counts and cost of all rows, and a page of them."""
        batch = find(Batch.objects.all(), caller_of(request), batch_id=batch_id)
        firings = Firing.objects.filter(batch=batch)
        return Response({**_document(batch), **page_of_firings(request, firings, keys=("number",), descending=False)})


class CancelBatch(APIView):
    """A batch that is to stop."""

    @extend_schema(operation_id="cancelBatch", request=None, responses={200: BatchRow, **refusals(409)})
    def post(self, request: Request, batch_id: str) -> Response:
        """No further row begins; runs at work are stopped and billed truthfully. 409 when it is done already."""
        batch = batches.cancel_batch(batch_id, caller_of(request), at=timezone.now())
        return Response(BatchRow(batch).data)


class ResumeBatch(APIView):
    """A batch whose cap was too low."""

    @extend_schema(operation_id="resumeBatch", request=ResumeForm, responses={200: BatchRow, **refusals(404, 409)})
    def post(self, request: Request, batch_id: str) -> Response:
        """Raise the cap, and begin the rows that it had refused. 409 when it was canceled, or there is no such row."""
        caller = caller_of(request)
        caller.known_user  # noqa: B018 (401 before 422)
        find(Batch.objects.all(), caller, batch_id=batch_id)  # and 404
        body = ResumeForm(data=request.data)
        body.is_valid(raise_exception=True)
        batch = batches.resume_batch(batch_id, caller, cap_usd=body.validated_data["maxUsd"])
        return Response(BatchRow(batch).data)


def _document(batch: Batch) -> dict[str, Any]:
    counted = {**batches.counts(batch), "waiting": batches.waiting(batch)}
    firings = Firing.objects.filter(batch=batch)
    cost = batches.cost_of(firings)
    return {
        "batch": BatchRow(batch).data,
        "counts": {str(name): counted.get(str(name), 0) for name in BatchCounts().fields},
        "costUsd": float(cost),
        "heldUsd": float(max(begin.spent_or_held(firings) - cost, ZERO)),
    }


def _quote(wish: Wish, quoted: Quote) -> dict[str, Any]:
    return {
        "slug": wish.slug,
        "version": quoted.version,
        "mode": str(wish.mode),
        "rowCount": len(quoted.rows),
        "quoteUsd": float(quoted.quote_usd),
        "mostUsd": float(quoted.most_usd),
        "maxUsd": float(wish.cap_usd),
    }
