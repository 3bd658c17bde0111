"""The outbox: written with the move that it tells of, rung for by the drain, taken by one worker at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Func, JSONField, Q, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from core.again import again as again_if_undone
from notifications import policy
from notifications.events import OF_MOVES, TEST, TURNED_OFF
from notifications.models import Delivery, Endpoint
from runs.heralds import Told
from runs.models import Run

_MS = "floor(extract(epoch FROM {}) * 1000)::bigint"
_WRITE = f"""
    WITH told AS (
        SELECT * FROM unnest(%(types)s::text[], %(statuses)s::text[], %(seqs)s::bigint[]) AS t(type, status, seq)
    ), wanted AS (
        SELECT e.id AS endpoint_id, t.type, t.status, t.seq
        FROM webhook_endpoints e JOIN told t ON t.type = ANY(e.events)
        WHERE e.owner_id = %(owner)s AND e.run_id IS NULL AND e.is_on
        UNION ALL
        SELECT e.id, t.type, t.status, t.seq FROM webhook_endpoints e JOIN told t ON t.type = ANY(e.events)
        WHERE e.run_id = %(run)s AND e.is_on
        UNION ALL
        SELECT NULL, t.type, t.status, t.seq FROM mail_wishes m JOIN told t ON t.type = ANY(m.events)
        WHERE m.owner_id = %(owner)s
    )
    INSERT INTO deliveries
        (owner_id, endpoint_id, run_id, event_id, type, data, happened_at, status, due_at, tries, log)
    SELECT %(owner)s, w.endpoint_id, r.id, 'evt_' || substr(r.run_id, 5) || '_' || w.seq, w.type,
        jsonb_build_object(
            'runId', r.run_id, 'revision', w.seq, 'status', w.status,
            'waitReason', CASE WHEN w.status = 'waiting' THEN r.wait_reason END,
            'error', CASE WHEN w.status = 'failed' THEN nullif(r.error, '') END,
            'zapSlug', r.zap_slug, 'zapVersion', r.zap_version, 'providerMode', r.provider_mode,
            'costUsd', r.cost_usd, 'quoteUsd', r.quote_usd, 'capUsd', r.cap_usd,
            'startedAt', {_MS.format("r.started_at")}, 'finishedAt', {_MS.format("r.finished_at")},
            'zapUrl', nullif(r.zap_url, '')),
        statement_timestamp(), 'waiting', statement_timestamp(), 0, '[]'::jsonb
    FROM wanted w CROSS JOIN runs r WHERE r.id = %(run)s
    ORDER BY w.seq"""  # noqa: S608 (only texts of this module)

_DUE = """
    d.status = 'waiting' AND d.due_at <= now() AND (d.lease_until IS NULL OR d.lease_until < now())
    AND (d.rung_at IS NULL OR d.rung_at < now() - %(again)s * interval '1 second')"""
_COUNTED = 10_000  # more are not counted one by one
_BACKLOG = """
    SELECT count(*), coalesce(extract(epoch FROM statement_timestamp() - min(due_at) FILTER (
        WHERE due_at < now() AND (lease_until IS NULL OR lease_until < now()))), 0)::float
    FROM (SELECT due_at, lease_until FROM deliveries WHERE status = 'waiting' ORDER BY due_at LIMIT %s) AS first"""
_CLAIM = f"""
    WITH due AS (
        SELECT d.id, d.owner_id, e.failures > 0 AS is_failing,
            row_number() OVER (PARTITION BY d.owner_id ORDER BY d.due_at, d.id) AS place,
            row_number() OVER (PARTITION BY d.endpoint_id ORDER BY d.id) AS place_there
        FROM deliveries d LEFT JOIN webhook_endpoints e ON e.id = d.endpoint_id
        WHERE {_DUE} AND (e.id IS NULL OR e.rest_until IS NULL OR e.rest_until <= now())
            AND (d.happened_at < now() - %(in_order)s * interval '1 second' OR NOT EXISTS (
                SELECT 1 FROM deliveries b WHERE b.endpoint_id = d.endpoint_id AND b.run_id = d.run_id
                AND b.status = 'waiting' AND b.id < d.id))
    ), told AS (
        SELECT owner_id, count(*) AS messages FROM deliveries
        WHERE status = 'waiting' AND rung_at >= now() - %(again)s * interval '1 second' GROUP BY 1
    ), turn AS (
        SELECT due.id FROM due LEFT JOIN told USING (owner_id)
        WHERE place + coalesce(messages, 0) <= %(fair)s AND (place_there = 1 OR is_failing IS NOT TRUE)
        ORDER BY place LIMIT %(limit)s
    )
    UPDATE deliveries SET rung_at = now() WHERE id IN (
        SELECT d.id FROM deliveries d WHERE d.id IN (SELECT id FROM turn) AND {_DUE} ORDER BY d.id
        FOR UPDATE SKIP LOCKED)
    RETURNING id"""  # noqa: S608
_CLOSED: dict[str, Any] = {"due_at": None, "rung_at": None, "lease_until": None, "lease_token": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one try. `code` is ours; `status` is the receiver's, None where it gave none."""

    code: str
    took_ms: int
    status: int | None = None
    retry_after_s: float | None = None
    is_final: bool = False  # trying again would change nothing

    @property
    def is_good(self) -> bool:
        """Whether the receiver has it."""
        return self.code == "DELIVERED"

    def line(self) -> dict[str, Any]:
        """As the log has it, but for the time."""
        return {"status": self.status, "ms": self.took_ms, "code": self.code}


def write(run_pk: int, owner_id: int, told: Sequence[Told]) -> None:
    """Put down whom these moves are to be told to. One statement, in the moves' own transaction."""
    known = [(*OF_MOVES[one.event], one.seq) for one in told if one.event in OF_MOVES]
    if not known:
        return
    types, statuses, seqs = (list(column) for column in zip(*known, strict=True))
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"owner": owner_id, "run": run_pk, "types": types, "statuses": statuses, "seqs": seqs}
        cursor.execute(_WRITE, values)


def claim_due(limit: int) -> list[int]:
    """Deliveries that somebody should make now, marked as rung; of each owner a few, and of a failing receiver one."""
    values = {
        "again": policy.BELL_AGAIN_S,
        "fair": policy.SIDE_BY_SIDE,
        "in_order": policy.IN_ORDER.total_seconds(),
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, values)
        return sorted(row[0] for row in cursor.fetchall())


def backlog() -> tuple[int, float]:
    """How many are still to be sent, and for how many seconds the latest should have been; 0.0 where none is late.

    One more than ten thousand stands for all beyond.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, [_COUNTED + 1])
        waiting, late_s = cursor.fetchone()
    return waiting, late_s


def take(pk: int) -> Delivery | None:
    """The delivery under a fresh lease, if it is due and nobody else is at it."""
    token = uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    due = Delivery.objects.filter(free, pk=pk, status="waiting", due_at__lte=Now())
    until = Now() + timedelta(seconds=policy.LEASE_S)
    if due.update(lease_token=token, lease_until=until, tries=F("tries") + 1) != 1:
        return None
    return Delivery.objects.select_related("endpoint", "owner").get(pk=pk, lease_token=token)


@again_if_undone
@transaction.atomic
def close(delivery: Delivery, outcome: Outcome) -> None:
    """Write down what came of the try, and what follows from it for the receiver.

    Nothing is written where the lease is lost: somebody took it over, and will say what came of theirs.
    """
    # A receiver is locked before its deliveries, as by whoever turns it off.
    if delivery.endpoint_id is not None and not outcome.is_good:
        list(Endpoint.objects.select_for_update(no_key=True).filter(pk=delivery.endpoint_id))
    held = Delivery.objects.filter(pk=delivery.pk, lease_token=delivery.lease_token, status="waiting")
    if held.update(**_after(delivery, outcome), log=_longer_by(outcome)) != 1:
        return
    if delivery.endpoint_id is not None and delivery.type != TEST:
        _judge(delivery.endpoint_id, outcome)


def again(delivery: Delivery) -> bool:
    """Send it once more from the start, whatever came of it. False where it is still on its way."""
    ended = Delivery.objects.filter(pk=delivery.pk).exclude(status="waiting")
    return ended.update(status="waiting", due_at=Now(), tries=0, ended_at=None) == 1


@again_if_undone
@transaction.atomic
def turn_off(endpoint_pk: int, reason: str) -> None:
    """Tell that receiver nothing more; what still had to go there ends.

    `reason` is owner, operator, gone or failing; the owner is told by mail of what they did not do themselves.
    """
    if not Endpoint.objects.filter(pk=endpoint_pk, is_on=True).update(is_on=False, off_reason=reason):
        return
    Delivery.objects.filter(endpoint_id=endpoint_pk, status="waiting").update(
        **_CLOSED, status="failed", ended_at=Now(), log=_longer_by(Outcome(code="ENDPOINT_OFF", took_ms=0))
    )
    endpoint = Endpoint.objects.select_related("owner").get(pk=endpoint_pk)
    if reason != "owner" and endpoint.owner.email and settings.ZAP_MAIL_ON:
        Delivery.objects.create(
            owner=endpoint.owner,
            event_id=f"evt_off_{uuid4().hex}",
            type=TURNED_OFF,
            data={"hookId": endpoint.hook_id, "reason": reason},
        )


def forget(run: Run) -> None:
    """Its own receivers are told nothing more, and what was told of it is gone."""
    Delivery.objects.filter(run=run).delete()
    Endpoint.objects.filter(run=run).delete()


def prune() -> None:
    """Forget what ended longer ago than ZAP_DELIVERY_LOG_DAYS: deliveries, and receivers of runs that did."""
    long_ago = Now() - timedelta(days=settings.ZAP_DELIVERY_LOG_DAYS)
    Delivery.objects.filter(ended_at__lt=long_ago).delete()
    Endpoint.objects.filter(run__finished_at__lt=long_ago).exclude(deliveries__status="waiting").delete()


def _after(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    if outcome.is_good:
        return {**_CLOSED, "status": "delivered", "ended_at": Now()}
    if outcome.is_final or delivery.tries >= policy.MOST_TRIES or delivery.type == TEST:
        return {**_CLOSED, "status": "failed", "ended_at": Now()}
    wait_s = policy.pause_s(delivery.tries, outcome.retry_after_s)
    return {**_CLOSED, "due_at": Now() + timedelta(seconds=wait_s)}


def _judge(endpoint_pk: int, outcome: Outcome) -> None:
    """A receiver that fails is left alone for a while, and after days for good. One that says it is gone, at once."""
    receiver = Endpoint.objects.filter(pk=endpoint_pk)
    if outcome.is_good:
        receiver.filter(failures__gt=0).update(failures=0, failing_since=None, rest_until=None)
        return
    if outcome.status == 410:
        turn_off(endpoint_pk, "gone")
        return
    failures = receiver.values_list("failures", flat=True).get() + 1
    rest = timedelta(seconds=policy.rest_s(failures, outcome.retry_after_s))
    receiver.update(failures=failures, failing_since=Coalesce("failing_since", Now()), rest_until=Now() + rest)
    if receiver.filter(failing_since__lt=Now() - policy.OFF_AFTER).exists():
        turn_off(endpoint_pk, "failing")


def _longer_by(outcome: Outcome) -> Func:
    line = {"at": round(timezone.now().timestamp() * 1000), **outcome.line()}
    new = Value([line], output_field=JSONField())
    return Func(F("log"), new, template="%(expressions)s", arg_joiner=" || ", output_field=JSONField())
