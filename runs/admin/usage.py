"""The page of what was spent: day by day, and by owner, recipe and model, against what had been quoted."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode

from core.errors import BadInput
from core.ledger import EMPTY, Ledger, money
from core.money import ZERO
from runs.models import Spending
from runs.usage import MAX_DAYS, By, Holding, Span, Sums, UsageRow, holdings_of, read_usage

_ROWS = 50  # of each table; what is left off is in the sums, and in the interface
_HEIGHT = 100  # of the chart; a bar's width is 10
_PERIODS = (7, 30, 90, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day of the chart, in its own units: y grows downwards."""

    x: int
    actual: float
    quote: float
    title: str

    @property
    def top(self) -> float:
        """Where the bar begins."""
        return round(_HEIGHT - self.actual, 2)

    @property
    def quote_top(self) -> float:
        """Where the mark of the quote lies."""
        return round(_HEIGHT - self.quote, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a table. `share` is of the dearest one, 0 to 100."""

    name: str
    count: int
    quote: str
    actual: str
    difference: str
    is_dearer: bool
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Sums told apart by one thing."""

    title: str
    lines: list[Line]
    is_cut: bool


@admin.register(Spending)
class UsageAdmin(Ledger):
    """A page of sums where other tables have a list."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page; a wrong date is told, and the last thirty days are shown."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        today = timezone.now().date()
        try:
            span = Span.parse(request.GET.get("from") or None, request.GET.get("to") or None, today=today)
        except BadInput as exc:
            for problem in exc.problems:
                self.message_user(request, problem.message, messages.ERROR)
            span = Span.parse(None, None, today=today)
        context = {
            **self.admin_site.each_context(request),
            "title": "Usage",
            "opts": self.model._meta,
            "media": self.media,
            "span": span,
            "periods": [_period(days, today, span) for days in _PERIODS],
            **picture_of(span, today),
        }
        return TemplateResponse(request, "admin/runs/spending/change_list.html", context)


def picture_of(span: Span, today: date) -> dict[str, Any]:
    """Everything that the page shows, in five queries."""
    days = read_usage(span, by=[By.DAY], owner_id=None, limit=MAX_DAYS)
    bars, top = chart(span, days.rows)
    return {
        "totals": days.totals,
        "facts": _facts(days.totals),
        "bars": bars,
        "top": money(top),
        "chart_width": 10 * len(bars),
        "tables": [
            table("By recipe", By.RECIPE, span),
            table("By model", By.MODEL, span),
            table("By owner", By.OWNER, span),
        ],
        "today": _today(holdings_of(None, today)["day"]),
    }


def chart(span: Span, rows: list[UsageRow]) -> tuple[list[Bar], Decimal]:
    """A bar for every day, also for those without spending, and the amount that the highest stands for."""
    spent = {row.day: row.sums for row in rows}
    top = max((max(sums.actual_usd, sums.quote_usd) for sums in spent.values()), default=ZERO)
    bars = []
    for place in range((span.last - span.first).days + 1):
        day = span.first + timedelta(days=place)
        sums = spent.get(day)
        actual, quote = (sums.actual_usd, sums.quote_usd) if sums else (ZERO, ZERO)
        bars.append(
            Bar(
                x=10 * place,
                actual=_height(actual, top),
                quote=_height(quote, top),
                title=f"{day}: {money(actual)}, quoted {money(quote)}",
            )
        )
    return bars, top


def table(title: str, by: By, span: Span) -> Table:
    """The dearest first."""
    usage = read_usage(span, by=[by], owner_id=None, limit=_ROWS)
    dearest = usage.rows[0].sums.actual_usd if usage.rows else ZERO
    return Table(title=title, lines=[_line(row, by, dearest) for row in usage.rows], is_cut=usage.is_cut)


def _line(row: UsageRow, by: By, dearest: Decimal) -> Line:
    sums = row.sums
    return Line(
        name=_name(row, by),
        count=sums.count,
        quote=money(sums.quote_usd),
        actual=money(sums.actual_usd),
        difference=_signed(sums.difference_usd),
        is_dearer=sums.difference_usd > 0,
        share=_height(sums.actual_usd, dearest),
    )


def _name(row: UsageRow, by: By) -> str:
    if by is By.OWNER:
        gone = f"#{row.owner_id}" if row.owner_id is not None else "nobody"
        return row.owner or gone
    return (row.recipe if by is By.RECIPE else row.model) or EMPTY


def _height(amount: Decimal, top: Decimal) -> float:
    return round(float(_HEIGHT * amount / top), 2) if top else 0.0


def _signed(amount: Decimal) -> str:
    if not amount:
        return EMPTY
    return f"{'+' if amount > 0 else '−'}{money(abs(amount))}"  # noqa: RUF001 (a minus sign)


def _facts(totals: Sums) -> list[tuple[str, str]]:
    return [
        ("Actual", money(totals.actual_usd)),
        ("Quoted", money(totals.quote_usd)),
        ("Difference", _signed(totals.difference_usd)),
        ("Beyond their own quotes", money(totals.over_usd)),
        ("Attempts that cost", str(totals.count)),
        ("Reported by the provider", money(totals.reported_usd)),
        ("Derived", money(totals.derived_usd)),
        ("Taken from the quote", money(totals.quoted_usd)),
    ]


def _today(day: Holding) -> str:
    limit = "no limit" if day.cap_usd is None else f"of {money(day.cap_usd)}"
    return f"{money(day.spent_usd)} spent and {money(day.reserved_usd)} held, {limit}"


def _period(days: int, today: date, span: Span) -> dict[str, Any]:
    first = today - timedelta(days=days - 1)
    is_shown = (span.first, span.last) == (first, today)
    return {"days": days, "query": urlencode({"from": str(first), "to": str(today)}), "is_shown": is_shown}
