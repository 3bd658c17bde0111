"""The operators' pages of what starts runs without a person: looked at, searched and stopped, never typed over."""

from decimal import Decimal
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from automations.batches import cost_of, counts, stop
from automations.models import Batch, Firing, Schedule, Trigger
from automations.schedules import BY_STAFF, pause
from automations.triggers import revoke
from automations.words import explain
from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, json_block, list_link, moment, money, word_filter


class StandingAdmin(KeysetLedger):
    """What the three have in common."""

    public_id = ""
    list_defer = ("inputs",)
    list_select_related = ("owner",)
    search_help_text = "Its id, or its owner, in full; or the beginning of its recipe's name"

    def find(self, term: str) -> Q:
        """By id or owner, else by recipe."""
        user = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if user is not None:
            return Q(owner=user)
        return Q(**{self.public_id: term}) if "_" in term else Q(slug__startswith=term)

    @admin.display(description="inputs")
    def given_inputs(self, order: Any) -> SafeString | str:
        """What every run is given."""
        return json_block(order.inputs)

    @admin.display(description="firings")
    def its_firings(self, order: Any) -> SafeString:
        """A link to all of them."""
        return list_link("automations_firing", "all firings", **{f"{order._meta.model_name}__id__exact": order.pk})

    def has_stop_permission(self, request: HttpRequest) -> bool:
        """Who may change such orders at all."""
        return request.user.has_perm(f"automations.change_{self.model._meta.model_name}")

    def tell(self, request: HttpRequest, rows: list[Any], done: str) -> None:
        """Note it for each, and say how many."""
        for row in rows:
            self.log_change(request, row, f"{done.capitalize()}.")
        self.message_user(request, f"{len(rows)} {done}.", messages.SUCCESS if rows else messages.WARNING)


@admin.register(Schedule)
class ScheduleAdmin(StandingAdmin):
    """Made by their owners; here they are paused."""

    public_id = "schedule_id"
    list_display = ("schedule_id", "slug", "mode", "rhythm", "owner", "state", "why", "failures", "next")
    list_filter = (word_filter("status", "status", ("active", "paused")),)
    fields = (
        ("schedule_id", "name", "owner", "made_by"),
        ("slug", "version", "mode", "overlap"),
        ("rhythm", "next", "created_at"),
        ("state", "why", "failures", "error", "give_up_after"),
        ("run_cap_usd", "day_cap_usd"),
        "given_inputs",
        "its_firings",
    )
    readonly_fields = ("rhythm", "next", "state", "why", "given_inputs", "its_firings")
    actions = ("pause_selected",)

    @admin.display(description="when")
    def rhythm(self, schedule: Schedule) -> str:
        """As its owner wrote it."""
        return f"{schedule.cron} ({schedule.zone})" if schedule.cron else f"every {schedule.every_s} s"

    @admin.display(description="status")
    def state(self, schedule: Schedule) -> SafeString | str:
        """Active or paused."""
        return badge(schedule.status)

    @admin.display(description="why")
    def why(self, schedule: Schedule) -> str:
        """Why it is paused."""
        return explain(schedule.reason).message if schedule.reason else EMPTY

    @admin.display(description="next")
    def next(self, schedule: Schedule) -> str:
        """When it is due."""
        return moment(schedule.next_at)

    @admin.action(description="Pause selected schedules", permissions=["stop"])
    def pause_selected(self, request: HttpRequest, schedules: QuerySet[Schedule]) -> None:
        """They are not due any more until their owners resume them."""
        with transaction.atomic():
            rows = list(schedules.select_for_update(of=("self",)).filter(status="active").order_by("pk"))
            for schedule in rows:
                pause(schedule, reason=BY_STAFF)
                schedule.save()
        self.tell(request, rows, "paused")


@admin.register(Trigger)
class TriggerAdmin(StandingAdmin):
    """Made by their owners; here they are revoked."""

    public_id = "trigger_id"
    list_display = ("trigger_id", "slug", "mode", "owner", "state", "used", "created_at")
    fields = (
        ("trigger_id", "name", "owner", "made_by"),
        ("slug", "version", "mode"),
        ("state", "created_at", "rotated_at", "used", "revoked_at"),
        ("run_cap_usd", "day_cap_usd", "per_minute"),
        "allowed",
        "given_inputs",
        "its_firings",
    )
    readonly_fields = ("state", "used", "given_inputs", "its_firings")
    actions = ("revoke_selected",)

    @admin.display(description="state")
    def state(self, trigger: Trigger) -> SafeString | str:
        """Whether it opens anything."""
        return badge("live" if trigger.revoked_at is None else "revoked")

    @admin.display(description="last used")
    def used(self, trigger: Trigger) -> str:
        """To the second."""
        return moment(trigger.last_used_at)

    @admin.action(description="Revoke selected triggers", permissions=["stop"])
    def revoke_selected(self, request: HttpRequest, triggers: QuerySet[Trigger]) -> None:
        """Their addresses open nothing any more."""
        with transaction.atomic():
            rows = list(triggers.select_for_update(of=("self",)).filter(revoked_at=None).order_by("pk"))
            for trigger in rows:
                revoke(trigger, at=timezone.now())
        self.tell(request, rows, "revoked")


@admin.register(Batch)
class BatchAdmin(StandingAdmin):
    """Made by their owners; here they are canceled."""

    public_id = "batch_id"
    list_display = ("batch_id", "slug", "mode", "owner", "state", "why", "row_count", "cap", "created_at")
    fields = (
        ("batch_id", "name", "owner", "made_by"),
        ("slug", "version", "mode"),
        ("state", "why", "created_at", "finished_at"),
        ("row_count", "so_far"),
        ("cap", "quote_usd", "most_usd", "run_cap_usd", "cost"),
        "its_firings",
    )
    readonly_fields = ("state", "why", "so_far", "cap", "cost", "its_firings")
    actions = ("cancel_selected",)

    @admin.display(description="status")
    def state(self, batch: Batch) -> SafeString | str:
        """Where it stands."""
        return badge({"open": "at work"}.get(batch.status, batch.status))

    @admin.display(description="why it waits")
    def why(self, batch: Batch) -> str:
        """Why no further row begins."""
        return explain(batch.reason).message if batch.reason else EMPTY

    @admin.display(description="cap")
    def cap(self, batch: Batch) -> str:
        """For all rows."""
        return money(batch.cap_usd)

    @admin.display(description="rows")
    def so_far(self, batch: Batch) -> str:
        """How many stand where."""
        return ", ".join(f"{count} {status}" for status, count in sorted(counts(batch).items())) or EMPTY

    @admin.display(description="cost so far")
    def cost(self, batch: Batch) -> str:
        """Of all its runs."""
        return money(cost_of(Firing.objects.filter(batch=batch)) or Decimal(0))

    @admin.action(description="Cancel selected batches", permissions=["stop"])
    def cancel_selected(self, request: HttpRequest, batches: QuerySet[Batch]) -> None:
        """No further row begins; what is at work is stopped within seconds."""
        with transaction.atomic():
            rows = list(batches.select_for_update(of=("self",)).filter(status="open").order_by("pk"))
            for batch in rows:
                stop(batch, at=timezone.now())
        self.tell(request, rows, "canceled")
