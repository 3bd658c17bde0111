"""The operators' door to what goes out: who is told, what was told, and once more."""

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, moment, row_link, word_filter
from notifications import outbox
from notifications.models import Delivery, Endpoint
from runs.admin.audit import note
from runs.models import Run

_REASONS = ("owner", "operator", "gone", "failing")


@admin.register(Endpoint)
class EndpointAdmin(KeysetLedger):
    """Receivers of webhooks, newest first. Their owners make them; here they are turned off."""

    list_display = ("hook_id", "owner", "run_link", "url", "state", "failures", "failing_since", "created_at")
    list_filter = (word_filter("off because", "off_reason", _REASONS, also=dict.fromkeys(_REASONS, Q(is_on=False))),)
    list_select_related = ("owner", "run")
    list_defer = ("run__source", "run__prompts", "run__inputs", "run__options")
    search_help_text = "Endpoint, owner or run, in full"
    fields = (
        ("hook_id", "state"),
        ("owner", "run_link"),
        ("url", "description"),
        "events",
        ("failures", "failing_since", "rest_until"),
        ("created_at", "rotated_at", "old_until"),
    )
    readonly_fields = ("run_link", "state")
    actions = ["turn_off"]

    def find(self, term: str) -> Q:
        """By its run or its owner, else by its id."""
        if (run := _pk_of_run(term)) is not None:
            return Q(run=run)
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        return Q(hook_id=term) if owner is None else Q(owner=owner)

    @admin.display(description="run")
    def run_link(self, endpoint: Endpoint) -> SafeString | str:
        """The one run that it is told of."""
        return row_link(endpoint.run) if endpoint.run is not None else EMPTY

    @admin.display(description="state")
    def state(self, endpoint: Endpoint) -> SafeString | str:
        """Whether it is told anything, and if not, why."""
        return badge("on" if endpoint.is_on else endpoint.off_reason)

    @admin.action(description="Turn selected webhook endpoints off", permissions=["turn_off"])
    def turn_off(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        """They are told nothing more, and what waits for them ends."""
        on = list(endpoints.filter(is_on=True))
        for endpoint in on:
            outbox.turn_off(endpoint.pk, "operator")
        note(request, on, "Turned off.")
        self.message_user(request, f"{len(on)} turned off; their owners may turn them on again.", messages.SUCCESS)

    def has_turn_off_permission(self, request: HttpRequest) -> bool:
        """Who may change endpoints at all."""
        return request.user.has_perm("notifications.change_endpoint")


@admin.register(Delivery)
class DeliveryAdmin(KeysetLedger):
    """What was told to whom, and what came of it."""

    list_display = ("event_id", "type", "to", "run_link", "state", "tries", "last", "happened", "next_try")
    list_filter = (word_filter("status", "status", ("waiting", "delivered", "failed")),)
    list_select_related = ("owner", "endpoint", "run")
    search_help_text = "Event, endpoint or run, in full"
    list_defer = ("data", "run__source", "run__prompts", "run__inputs", "run__options")
    fields = (("event_id", "type"), ("to", "run_link"), ("state", "tries"), ("happened", "next_try"), "log", "data")
    readonly_fields = ("to", "run_link", "state", "last", "happened", "next_try")
    actions = ["resend"]

    def find(self, term: str) -> Q:
        """By what has an index."""
        if (run := _pk_of_run(term)) is not None:
            return Q(run=run)
        endpoint = Endpoint.objects.filter(hook_id=term).values_list("pk", flat=True).first()
        return Q(event_id=term) if endpoint is None else Q(endpoint=endpoint)

    @admin.display(description="to")
    def to(self, delivery: Delivery) -> SafeString | str:
        """The receiver."""
        return row_link(delivery.endpoint) if delivery.endpoint is not None else f"mail to {delivery.owner}"

    @admin.display(description="run")
    def run_link(self, delivery: Delivery) -> SafeString | str:
        """The run that it tells of."""
        return row_link(delivery.run) if delivery.run is not None else EMPTY

    @admin.display(description="status")
    def state(self, delivery: Delivery) -> SafeString | str:
        """Where it stands."""
        return badge(delivery.status)

    @admin.display(description="last try")
    def last(self, delivery: Delivery) -> str:
        """What came of it."""
        if not delivery.log:
            return EMPTY
        line = delivery.log[-1]
        return " · ".join(str(part) for part in (line["code"], line["status"], f"{line['ms']} ms") if part is not None)

    @admin.display(description="happened")
    def happened(self, delivery: Delivery) -> str:
        """When the run moved."""
        return moment(delivery.happened_at)

    @admin.display(description="next try")
    def next_try(self, delivery: Delivery) -> str:
        """When it is tried again."""
        return moment(delivery.due_at)

    @admin.action(description="Send selected deliveries again", permissions=["resend"])
    def resend(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """Under the ids that they had; those whose receiver is off, or that are on their way, are left alone."""
        ended = deliveries.exclude(status="waiting").exclude(endpoint__is_on=False)
        sent = [delivery for delivery in ended if outbox.again(delivery)]
        note(request, sent, "Sent again.")
        self.message_user(request, f"{len(sent)} are sent again.", messages.SUCCESS)

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries at all."""
        return request.user.has_perm("notifications.change_delivery")


def _pk_of_run(run_id: str) -> int | None:
    return Run.objects.filter(run_id=run_id).values_list("pk", flat=True).first()
