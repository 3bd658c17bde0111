"""The money of one locked run: what it holds, what it has spent, and every sum that this counts towards.

A reservation takes its room in every sum at once, or nothing. What is released and spent is written with the moves.
Sums are locked after the run, always in the same order, and only until the transaction ends.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from core.errors import OverBudget
from core.money import ZERO
from runs.budgets import Scope, caps_of, refusal, scopes_of
from runs.models import Attempt, LedgerEntry, Run, Step

_OPEN = """
    INSERT INTO budgets (key, owner_id, day, reserved_usd, spent_usd)
    SELECT key, owner_id, day, 0, 0 FROM unnest(%s::text[], %s::int[], %s::date[]) AS v(key, owner_id, day)
    ON CONFLICT (key) DO NOTHING"""
_LOCK = """
    SELECT key, reserved_usd, spent_usd FROM budgets WHERE key = ANY(%s)
    ORDER BY day IS NOT NULL, day DESC, key DESC FOR UPDATE"""
_BOOK = """
    UPDATE budgets b SET reserved_usd = greatest(b.reserved_usd + v.reserved, 0), spent_usd = b.spent_usd + v.spent
    FROM unnest(%s::text[], %s::numeric[], %s::numeric[]) AS v(key, reserved, spent) WHERE b.key = v.key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What money is for. `attempt` is None before there is one."""

    step_id: str
    provider: str
    model: str
    attempt: int | None = None

    @classmethod
    def of_step(cls, step: Step) -> "Claim":
        """A step's own: for attempts that are not made yet."""
        return cls(step_id=step.step_id, provider=step.provider, model=step.model)

    @classmethod
    def of_attempt(cls, attempt: Attempt) -> "Claim":
        """One attempt's."""
        return cls(step_id=attempt.step.step_id, provider=attempt.provider, model=attempt.model, attempt=attempt.number)


class Purse:
    """Gathers what moves; `write` puts it down and tells which columns of the run change."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._entries: list[LedgerEntry] = []
        self._days: dict[date, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])  # reserved, spent
        self._touched = False

    @property
    def is_overdrawn(self) -> bool:
        """Has a vendor billed more than the cap leaves room for?"""
        return self._run.cost_usd + self._run.reserved_usd > self._run.cap_usd

    def raise_cap(self, cap_usd: Decimal) -> None:
        """A person lets the run cost more; a lower cap than before changes nothing."""
        if cap_usd > self._run.cap_usd:
            self._run.cap_usd = cap_usd
            self._touched = True

    def reserve(self, *claims: tuple[Claim, Decimal]) -> date:
        """Hold money for all of them. Returns the UTC day that it counts towards.

        Raises OverBudget, broken down, where the run's cap, its owner's or the day's has no room for their sum.
        """
        day = datetime.now(UTC).date()
        total = sum((usd for _, usd in claims), ZERO)
        if not total:
            return day
        run = self._run
        if run.cost_usd + run.reserved_usd + total > run.cap_usd:
            raise OverBudget(
                f"The run may cost {run.cap_usd.normalize():f} USD, and this would need {total.normalize():f} more.",
                **_broken_down(total, claims),
                capUsd=float(run.cap_usd),
                spentUsd=float(run.cost_usd),
                reservedUsd=float(run.reserved_usd),
            )
        self._take(day, total, claims)
        run.reserved_usd += total
        self._touched = True
        for claim, usd in claims:
            if usd:
                self._enter("reserved", claim, usd, day)
        return day

    def release(self, claim: Claim, usd: Decimal, day: date | None) -> None:
        """Give back what was held for it."""
        if not usd:
            return
        self._run.reserved_usd -= usd
        self._touched = True
        self._days[_day(day)][0] -= usd
        self._enter("released", claim, usd, _day(day))

    def spend(self, attempt: Attempt, usd: Decimal, source: str) -> None:
        """Book that an attempt cost `usd` in all, at its end; what was held for it is free again."""
        more, held = usd - (attempt.actual_usd or ZERO), attempt.reserved_usd
        self.release(Claim.of_attempt(attempt), held, attempt.reserved_on)
        self._book_cost(attempt, more, source, held)

    def spend_part(self, attempt: Attempt, usd: Decimal, source: str) -> Decimal:
        """Book a part of what an attempt costs. Returns what is still held for the rest."""
        held = min(usd, attempt.reserved_usd)
        self.release(Claim.of_attempt(attempt), held, attempt.reserved_on)
        self._book_cost(attempt, usd, source, held)
        return attempt.reserved_usd - held

    def _book_cost(self, attempt: Attempt, usd: Decimal, source: str, held: Decimal) -> None:
        if not usd:
            return
        claim, day = Claim.of_attempt(attempt), _day(attempt.reserved_on)
        self._run.cost_usd += usd
        self._touched = True
        self._days[day][1] += usd
        self._enter("spent", claim, usd, day, quote_usd=attempt.quote_usd, source=source)
        over = self._run.cost_usd + self._run.reserved_usd - self._run.cap_usd
        if over > 0 and usd > held:
            self._enter("overshoot", claim, min(over, usd - held), day)

    def write(self) -> dict[str, Any]:
        """Put ledger and sums down. Returns the run's new columns."""
        if not self._touched:
            return {}
        if self._entries:
            LedgerEntry.objects.bulk_create(self._entries)
        if self._days:
            self._book()
        run = self._run
        return {"reserved_usd": run.reserved_usd, "cost_usd": run.cost_usd, "cap_usd": run.cap_usd}

    def _take(self, day: date, total: Decimal, claims: Sequence[tuple[Claim, Decimal]]) -> None:
        owner_id = self._run.owner_id
        scopes = list(scopes_of(owner_id, day, caps_of(owner_id)))
        with connection.cursor() as cursor:
            _open(cursor, scopes)
            cursor.execute(_LOCK, [[scope.key for scope in scopes]])
            held = {key: (reserved, spent) for key, reserved, spent in cursor.fetchall()}
            for scope in scopes:
                reserved, spent = self._with_unwritten(scope, *held[scope.key])
                if scope.cap_usd is not None and reserved + spent + total > scope.cap_usd:
                    raise refusal(scope, reserved=reserved, spent=spent, **_broken_down(total, claims))
            cursor.execute(_BOOK, [[s.key for s in scopes], [total] * len(scopes), [ZERO] * len(scopes)])

    def _with_unwritten(self, scope: Scope, reserved: Decimal, spent: Decimal) -> tuple[Decimal, Decimal]:
        """The sums as they will be: this transaction may have given back or spent already, and not put it down yet."""
        for day, (more_reserved, more_spent) in self._days.items():
            if scope.day in {None, day}:
                reserved, spent = reserved + more_reserved, spent + more_spent
        return reserved, spent

    def _book(self) -> None:
        sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
        scopes: dict[str, Scope] = {}
        for day, (reserved, spent) in sorted(self._days.items(), reverse=True):
            for scope in scopes_of(self._run.owner_id, day):
                scopes[scope.key] = scope
                sums[scope.key][0] += reserved
                sums[scope.key][1] += spent
        keys = list(scopes)
        with connection.cursor() as cursor:
            _open(cursor, list(scopes.values()))
            cursor.execute(_LOCK, [keys])
            cursor.execute(_BOOK, [keys, [sums[key][0] for key in keys], [sums[key][1] for key in keys]])

    def _enter(
        self, kind: str, claim: Claim, usd: Decimal, day: date, *, quote_usd: Decimal = ZERO, source: str = ""
    ) -> None:
        self._entries.append(
            LedgerEntry(
                kind=kind,
                usd=usd,
                quote_usd=quote_usd,
                source=source,
                day=day,
                run_id=self._run.run_id,
                step_id=claim.step_id,
                attempt=claim.attempt,
                owner_id=self._run.owner_id,
                zap_slug=self._run.zap_slug,
                provider=claim.provider,
                model=claim.model,
            )
        )


def _open(cursor: Any, scopes: Sequence[Scope]) -> None:
    columns = ([s.key for s in scopes], [s.owner_id for s in scopes], [s.day for s in scopes])
    cursor.execute(_OPEN, [list(column) for column in columns])


def _day(day: date | None) -> date:
    return day or datetime.now(UTC).date()


def _broken_down(total: Decimal, claims: Sequence[tuple[Claim, Decimal]]) -> dict[str, Any]:
    parts = [{"stepId": claim.step_id, "model": claim.model, "firstUsd": float(usd)} for claim, usd in claims if usd]
    return {"quoteUsd": float(total), "steps": parts}
