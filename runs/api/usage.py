"""GET /api/usage: what was spent, by what the caller wants to tell apart, and what is left of the budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.fields import Usd
from core.errors import BadInput, Problem
from runs.usage import DEFAULT_DAYS, MAX_DAYS, By, Holding, Span, Usage, UsageRow, holdings_of, read_usage

DEFAULT_LIMIT, MAX_LIMIT = 400, 1000


class SourceSums(serializers.Serializer[Any]):
    """How the actual cost became known, in USD."""

    reported = Usd(source="reported_usd", help_text="The provider said so.")
    derived = Usd(source="derived_usd", help_text="Worked out from what the provider said it did.")
    quoted = Usd(source="quoted_usd", help_text="The provider said nothing: our quote was taken.")


class UsageSums(serializers.Serializer[Any]):
    """Sums over attempts that cost something."""

    count = serializers.IntegerField(help_text="How many attempts.")
    quoteUsd = Usd(source="quote_usd")
    actualUsd = Usd(source="actual_usd")
    differenceUsd = Usd(source="difference_usd", help_text="Actual less quote; above zero: dearer than quoted.")
    overshootUsd = Usd(source="over_usd", help_text="What attempts cost beyond their own quotes.")
    sources = SourceSums(source="*")


class UsageSumsRow(UsageSums):
    """The same of one day, owner, recipe, provider or model: of whatever stands in `by`."""

    day = serializers.DateField(required=False, help_text="The UTC day on which the money was reserved.")
    userId = serializers.CharField(required=False, allow_null=True, help_text="Null: runs that nobody owns.")
    owner = serializers.CharField(required=False, allow_null=True, help_text="The user's name; null where it is gone.")
    recipe = serializers.CharField(required=False)
    provider = serializers.CharField(required=False)
    model = serializers.CharField(required=False)


class BudgetRow(serializers.Serializer[Any]):
    """One budget."""

    reservedUsd = Usd(source="reserved_usd", help_text="Held for what is at work or will be.")
    spentUsd = Usd(source="spent_usd")
    capUsd = Usd(source="cap_usd", allow_null=True, help_text="Null: no limit.")
    remainingUsd = Usd(source="remaining_usd", allow_null=True)


class BudgetRows(serializers.Serializer[Any]):
    """What the caller's next run counts towards."""

    owner = BudgetRow(help_text="The caller, in all.")
    ownerDay = BudgetRow(help_text="The caller, today (UTC).")
    day = BudgetRow(help_text="Everybody, today (UTC).")


# `from` is no name that a class can have, hence not a class body.
UsageDocument: Any = type(
    "UsageDocument",
    (serializers.Serializer,),
    {
        "__doc__": "What was spent.",
        "from": serializers.DateField(),
        "to": serializers.DateField(help_text="Included."),
        "by": serializers.ListField(child=serializers.ChoiceField(choices=[str(part) for part in By])),
        "rows": UsageSumsRow(many=True, help_text="The newest days first, of a day the dearest first."),
        "truncated": serializers.BooleanField(help_text="There are more rows; totals counts them too."),
        "totals": UsageSums(),
        "budgets": BudgetRows(),
    },
)


class UsageView(APIView):
    """What was spent."""

    @extend_schema(
        operation_id="getUsage",
        responses=UsageDocument,
        parameters=[
            OpenApiParameter("from", date, description=f"{DEFAULT_DAYS} days, today included, unless given."),
            OpenApiParameter("to", date, description=f"Included; today (UTC) unless given. At most {MAX_DAYS} days."),
            OpenApiParameter("by", str, description=f"Some of {', '.join(By)}, comma-separated; day unless given."),
            OpenApiParameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
            ),
        ],
    )
    def get(self, request: Request) -> Response:
        """Sums of the caller's runs; staff see everybody's."""
        caller = caller_of(request)
        caller.require(Scope.READ)
        user, today = caller.known_user, timezone.now().date()
        wanted = _read(request.query_params, today)
        owner_id = None if caller.is_staff else user.pk
        usage = read_usage(wanted.span, by=wanted.by, owner_id=owner_id, limit=wanted.limit)
        return Response(_document(wanted, usage, holdings_of(user.pk, today)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    span: Span
    by: Sequence[By]
    limit: int


def _read(given: Mapping[str, str], today: date) -> _Wanted:
    """What the query's parameters ask for. Raises BadInput, naming every one that is wrong."""
    problems: list[Problem] = []
    span = Span(first=today, last=today)
    try:
        span = Span.parse(given.get("from"), given.get("to"), today=today)
    except BadInput as exc:
        problems.extend(exc.problems)
    words, limit = given.get("by", By.DAY).split(","), given.get("limit", str(DEFAULT_LIMIT))
    if not set(words) <= set(By):
        problems.append(_bad("by", f"by is some of {', '.join(By)}, comma-separated."))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 4 and 1 <= int(limit) <= MAX_LIMIT):
        problems.append(_bad("limit", f"limit is a whole number from 1 to {MAX_LIMIT}."))
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return _Wanted(span=span, by=[part for part in By if part in words], limit=int(limit))


def _bad(name: str, sentence: str) -> Problem:
    return Problem(code="PARAMETER_INVALID", message=sentence, path=name)


def _document(wanted: _Wanted, usage: Usage, holdings: dict[str, Holding]) -> dict[str, Any]:
    return {
        "from": wanted.span.first.isoformat(),
        "to": wanted.span.last.isoformat(),
        "by": [str(part) for part in wanted.by],
        "rows": [{**_keys(row, wanted.by), **UsageSums(row.sums).data} for row in usage.rows],
        "truncated": usage.is_cut,
        "totals": UsageSums(usage.totals).data,
        "budgets": {name: BudgetRow(holding).data for name, holding in holdings.items()},
    }


def _keys(row: UsageRow, by: Sequence[By]) -> dict[str, Any]:
    values: dict[By, dict[str, Any]] = {
        By.DAY: {"day": row.day and row.day.isoformat()},
        By.OWNER: {"userId": None if row.owner_id is None else str(row.owner_id), "owner": row.owner},
        By.RECIPE: {"recipe": row.recipe},
        By.PROVIDER: {"provider": row.provider},
        By.MODEL: {"model": row.model},
    }
    return {name: value for part in by for name, value in values[part].items()}
