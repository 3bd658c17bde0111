"""Tiles of money and machinery: today's spending, the drain's cycles, queues, workers, and what is in trouble."""

from decimal import Decimal

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from core.ledger import moment, money, span
from runs import figures, refusals
from runs.admin.cron_logs import title_of
from runs.admin.dashboard.tiles import Bar, Fact, Tile, counted, tone_of
from runs.faults import explain
from runs.models import Budget, Circuit, CronLog

_CYCLES, _OWNERS, _SHOWN = 90, 4, 5


def queues() -> list[Tile]:
    """Messages that no worker has taken yet, and how many workers listen. Raises redis.RedisError."""
    held = figures.messages()
    facts = [
        Fact(name=name, value=counted(length), tone=tone_of(length, care=500, bad=5000))
        for name, length in held.waiting.items()
    ]
    seen = Fact(name="listening now", value=counted(held.workers), tone="good" if held.workers else "bad")
    return [
        Tile(title="Messages in the queues", facts=[*facts, Fact(name="taken, not done", value=counted(held.taken))]),
        Tile(title="Workers", facts=[seen], note="" if held.workers else "Nobody works: start a Celery worker."),
    ]


def spending() -> list[Tile]:
    """Today's money (UTC) of everybody against its cap, and of the owners with most of it."""
    today = timezone.now().date()
    dearest = (-(F("spent_usd") + F("reserved_usd")), "pk")
    rows = Budget.objects.filter(day=today).select_related("owner__allowance")
    held = rows.annotate(everybody=Q(owner=None)).order_by("-everybody", *dearest)[: 1 + _OWNERS]
    facts = [_budget(row) for row in held]
    return [
        Tile(title="Spent today", facts=facts, note="" if facts else f"Nothing yet; {_of(settings.ZAP_DAY_CAP_USD)}.")
    ]


def cycles() -> list[Tile]:
    """The newest cycles of the drain, one bar each: its height is how much was dealt with."""
    logs = list(CronLog.objects.order_by("-start_time")[:_CYCLES])[::-1]
    if not logs:
        return [Tile(title="Drain", note="It has never run: start beat and a worker for the queue `drain`.")]
    top = max(log.processed_count for log in logs) or 1
    bars = [
        Bar(
            x=10 * place,
            height=round(6 + 94 * log.processed_count / top, 2),
            status=log.status or "open",
            title=title_of(log),
            url=reverse("admin:runs_cronlog_change", args=[log.pk]),
        )
        for place, log in enumerate(logs)
    ]
    since = timezone.now() - logs[-1].start_time
    failed = sum(log.status == "failed" for log in logs)
    facts = [
        Fact(name="newest began", value=f"{span(since)} ago", tone=tone_of(since.total_seconds(), care=30, bad=120)),
        Fact(name="dealt with", value=counted(sum(log.processed_count for log in logs))),
        Fact(name="most in one", value=counted(top)),
        Fact(name="errors", value=counted(sum(log.error_count for log in logs))),
        Fact(name="failed cycles", value=counted(failed), tone="bad" if failed else ""),
    ]
    return [Tile(title=f"Drain: the newest {len(logs)} cycles", facts=facts, bars=bars)]


def breakers() -> list[Tile]:
    """What is left alone for now, and until when."""
    paused = list(Circuit.objects.exclude(status="closed").order_by(F("retry_at").desc(nulls_last=True))[:_SHOWN])
    facts = [
        Fact(
            name=str(circuit),
            value=f"{explain(circuit.error).message} Until {moment(circuit.retry_at)}.",
            tone="bad" if circuit.status == "open" else "care",
            url=reverse("admin:runs_circuit_change", args=[circuit.pk]),
        )
        for circuit in paused
    ]
    return [Tile(title="Open breakers", facts=facts, note="" if facts else "None: everything is submitted.")]


def dead_letters() -> list[Tile]:
    """How many failed steps nobody has made go on; counted up to a thousand."""
    found, most = figures.dead_letters(), figures.MOST_LETTERS
    value = f"more than {counted(most)}" if found > most else counted(found)
    url = reverse("admin:runs_deadletter_changelist")
    return [
        Tile(title="Dead letters", facts=[Fact(name="failed steps", value=value, tone="care" * bool(found), url=url)])
    ]


def webhooks() -> list[Tile]:
    """How many calls were not believed, though they came to an address of ours. Raises what the cache raises."""
    hour, day = refusals.count(hours=1), refusals.count(hours=24)
    facts = [
        Fact(name="this hour and the last", value=counted(hour), tone="care" * bool(hour)),
        Fact(name="last day", value=counted(day)),
    ]
    return [Tile(title="Webhooks refused", facts=facts)]


def _budget(row: Budget) -> Fact:
    owner = row.owner
    if owner is None:
        cap, name = settings.ZAP_DAY_CAP_USD, "everybody"
    else:
        own = getattr(getattr(owner, "allowance", None), "day_cap_usd", None)
        cap, name = settings.ZAP_OWNER_DAY_CAP_USD if own is None else own, owner.get_username()
    share = float((row.spent_usd + row.reserved_usd) / cap) if cap else 0.0
    held = f" and {money(row.reserved_usd)} held" if row.reserved_usd else ""
    return Fact(name=name, value=f"{money(row.spent_usd)}{held}, {_of(cap)}", tone=tone_of(share, care=0.8, bad=1))


def _of(cap: Decimal | None) -> str:
    return "no limit" if cap is None else f"of {money(cap)}"
