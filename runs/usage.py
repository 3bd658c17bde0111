"""What was spent, as the ledger says, against what had been quoted; and how much of their budgets people hold."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.contrib.auth import get_user_model
from django.db import connection

from core.errors import BadInput, Problem
from core.money import ZERO
from runs.budgets import caps_of, scopes_of
from runs.models import Budget

DEFAULT_DAYS, MAX_DAYS = 30, 366
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class By(StrEnum):
    """What sums can be told apart by."""

    DAY = "day"  #: the UTC day on which the money was reserved
    OWNER = "owner"
    RECIPE = "recipe"
    PROVIDER = "provider"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """UTC days, both included."""

    first: date
    last: date

    @classmethod
    def parse(cls, first: str | None, last: str | None, *, today: date) -> "Span":
        """The days that a person wrote; by default the thirty that end today. Raises BadInput, naming each bad one."""
        problems: list[Problem] = []
        ends = _read_day("to", last, problems) or today
        begins = _read_day("from", first, problems) or ends - timedelta(days=DEFAULT_DAYS - 1)
        if not problems and not 0 <= (ends - begins).days < MAX_DAYS:
            problems.append(_bad("from", f"from is one of the {MAX_DAYS} days that end with to."))
        if problems:
            raise BadInput(problems[0].message, problems=problems)
        return cls(first=begins, last=ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """Sums over attempts that cost something. The last three say how the actual cost became known."""

    count: int
    quote_usd: Decimal
    actual_usd: Decimal
    over_usd: Decimal  # what attempts cost beyond their own quotes
    reported_usd: Decimal
    derived_usd: Decimal
    quoted_usd: Decimal

    @property
    def difference_usd(self) -> Decimal:
        """Above zero: dearer than quoted."""
        return self.actual_usd - self.quote_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """Sums of what these have in common; what was not asked for is None, and so is the owner of what nobody owns."""

    sums: Sums
    day: date | None = None
    owner_id: int | None = None
    owner: str | None = None  # None too where the account is gone
    recipe: str | None = None
    provider: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The newest days first, of a day the dearest first. `totals` counts everything, also what was left off."""

    rows: list[UsageRow]
    totals: Sums
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One budget: what is held for work, what is spent, and the most that both may be; None: no limit."""

    reserved_usd: Decimal
    spent_usd: Decimal
    cap_usd: Decimal | None

    @property
    def remaining_usd(self) -> Decimal | None:
        """What may still be reserved."""
        return None if self.cap_usd is None else max(self.cap_usd - self.reserved_usd - self.spent_usd, ZERO)


_COLUMNS = {
    By.DAY: ("day",),
    By.OWNER: ("owner_id", "owner"),
    By.RECIPE: ("recipe",),
    By.PROVIDER: ("provider",),
    By.MODEL: ("model",),
}
_SUMS = """count(*), coalesce(sum(quote_usd), 0), coalesce(sum(usd), 0),
    coalesce(sum(greatest(usd - quote_usd, 0)), 0), coalesce(sum(usd) FILTER (WHERE source = 'reported'), 0),
    coalesce(sum(usd) FILTER (WHERE source = 'derived'), 0), coalesce(sum(usd) FILTER (WHERE source = 'quoted'), 0)"""
_SUM_NAMES = ("count", "quote_usd", "actual_usd", "over_usd", "reported_usd", "derived_usd", "quoted_usd")


def read_usage(span: Span, *, by: Sequence[By], owner_id: int | None, limit: int) -> Usage:
    """What was spent in those days, in one query. `owner_id` None: everybody's.

    At most `limit` rows. `by` names at least one thing.
    """
    keys = [column for part in By if part in by for column in _COLUMNS[part]]
    order = ["day DESC" if key == "day" else key for key in keys]
    order.insert(int(By.DAY in by), "sum(usd) DESC")
    names = ", ".join(keys)
    whose, who = ("", []) if owner_id is None else ("AND l.owner_id = %s", [owner_id])
    users = get_user_model()._meta.db_table
    statement = f"""
        SELECT {names}, {_SUMS} FROM (
            SELECT l.day, l.owner_id, u.username AS owner, l.zap_slug AS recipe, l.provider, l.model,
                l.usd, l.quote_usd, l.source
            FROM ledger l LEFT JOIN {users} u ON u.id = l.owner_id
            WHERE l.kind = 'spent' AND l.day BETWEEN %s AND %s {whose}
        ) AS spent
        GROUP BY GROUPING SETS (({names}), ()) ORDER BY GROUPING({keys[0]}) DESC, {", ".join(order)} LIMIT %s"""  # noqa: S608 (names are ours)
    with connection.cursor() as cursor:
        cursor.execute(statement, [span.first, span.last, *who, limit + 2])
        total, *found = cursor.fetchall()
    rows = [UsageRow(sums=_sums(row[len(keys) :]), **dict(zip(keys, row, strict=False))) for row in found[:limit]]
    return Usage(rows=rows, totals=_sums(total[len(keys) :]), is_cut=len(found) > limit)


def holdings_of(owner_id: int | None, day: date) -> dict[str, Holding]:
    """The budgets that one owner's runs of that day count towards: `owner`, `ownerDay` and `day`, everybody's."""
    scopes = {
        "day" if scope.owner_id is None else "owner" if scope.day is None else "ownerDay": scope
        for scope in scopes_of(owner_id, day, caps_of(owner_id))
    }
    budgets = Budget.objects.filter(key__in=[scope.key for scope in scopes.values()])
    held = {budget.key: (budget.reserved_usd, budget.spent_usd) for budget in budgets}
    found = {}
    for name, scope in scopes.items():
        reserved, spent = held.get(scope.key, (ZERO, ZERO))
        found[name] = Holding(reserved_usd=reserved, spent_usd=spent, cap_usd=scope.cap_usd)
    return found


def _sums(values: Sequence[Decimal | int]) -> Sums:
    return Sums(**dict(zip(_SUM_NAMES, values, strict=True)))  # type: ignore[arg-type]


def _read_day(name: str, text: str | None, problems: list[Problem]) -> date | None:
    if text is None:
        return None
    try:
        # The first years of all are no days to count back from.
        if _DAY.fullmatch(text) and text >= "1000":
            return date.fromisoformat(text)
    except ValueError:
        pass
    problems.append(_bad(name, f"{name} is a day such as 2030-01-31."))
    return None


def _bad(name: str, sentence: str) -> Problem:
    return Problem(code="PARAMETER_INVALID", message=sentence, path=name)
