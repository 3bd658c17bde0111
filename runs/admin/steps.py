"""Steps and the attempts at them."""

from collections.abc import Sequence
from typing import ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.errors import Refused
from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, json_block, list_link, moment, money, row_link, took, word_filter
from runs.admin.audit import note
from runs.admin.words import waits
from runs.control import resolve_unknown
from runs.faults import explain
from runs.models import Attempt, Run, Step
from runs.states import STEP_FINAL, AttemptStatus, StepStatus, WaitReason

_RUN_TEXTS = ("run__source", "run__prompts", "run__inputs")


_OPEN = models.Q(status__in=[status for status in StepStatus if status not in STEP_FINAL])
_ENDED = [AttemptStatus.CANCELED, AttemptStatus.DONE, AttemptStatus.FAILED]
_MANY = 1000  # more rows than that are not listed by what they have in common


def of_attempts(term: str) -> QuerySet[Attempt]:
    """The attempts with that idempotency key or that provider's request id; each half has an index of its own."""
    ended = models.Q(status__in=_ENDED, provider_request_id=term)
    polled = models.Q(status="accepted", provider_request_id=term)
    others = set(AttemptStatus) - set(_ENDED) - {AttemptStatus.ACCEPTED}
    rung = models.Q(status__in=sorted(others), provider_request_id=term)
    parts = [
        Attempt.objects.filter(part).order_by().values("pk") for part in (models.Q(idem_key=term), ended, polled, rung)
    ]
    return Attempt.objects.filter(pk__in=[row["pk"] for row in parts[0].union(*parts[1:])[:_MANY]])


def of_run(term: str) -> models.Q | None:
    """`RUN`, or `RUN STEP`, as a condition on what belongs to a run; None where there is no such run."""
    run_id, _, step_id = term.partition(" ")
    run = Run.objects.filter(run_id=run_id).values_list("pk", flat=True).first()
    if run is None:
        return None
    return models.Q(run=run, step__step_id=step_id.strip()) if step_id else models.Q(run=run)


class OfRun(KeysetLedger):
    """What a step's page and an attempt's have in common."""

    related: ClassVar[Sequence[str]] = ("run",)

    @admin.display(description="run", ordering="run__pk")
    def its_run(self, row: Step | Attempt) -> SafeString | str:
        """The run it belongs to."""
        return row_link(row.run)

    @admin.display(description="status", ordering="status")
    def state(self, row: Step | Attempt) -> SafeString | str:
        """Where it stands."""
        return badge(row.status)

    @admin.display(description="progress")
    def share(self, row: Step | Attempt) -> str:
        """In hundredths."""
        return f"{row.progress:.0%}" if row.progress is not None else EMPTY

    @admin.display(description="cost")
    def cost(self, row: Step | Attempt) -> str:
        """What it did cost, else what it may."""
        quote = row.price_quote_usd if isinstance(row, Step) else row.quote_usd
        return money(row.actual_usd) if row.actual_usd is not None else f"≤ {money(quote)}"

    @admin.display(description="error in words")
    def said(self, row: Step | Attempt) -> str:
        """What the code means, and what to do."""
        if not row.error:
            return EMPTY
        fault = explain(row.error)
        return f"{fault.message} {fault.remediation}"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Step | Attempt]:
        """With the run's name, without its texts."""
        return super().get_queryset(request).select_related(*self.related).defer(*_RUN_TEXTS)


@admin.register(Step)
class StepAdmin(OfRun):
    """Steps of every run, newest first."""

    list_display = ("step_id", "its_run", "state", "why", "kind", "provider", "model", "share", "cost", "time", "error")
    list_filter = (
        word_filter("status", "status", StepStatus),
        word_filter("waits for", "wait_reason", WaitReason, also=dict.fromkeys(map(str, WaitReason), _OPEN)),
    )
    list_defer = ("spec",)
    search_help_text = "Run id, run id and step id, the provider's request id or an idempotency key, in full"
    fields = (
        ("step_id", "its_run", "position"),
        ("state", "why"),
        ("kind", "provider", "model"),
        ("share", "cost", "price_quote_usd"),
        ("error", "said"),
        "parents",
        ("provider_request_id", "idem_key"),
        "tries",
        ("started_at", "finished_at", "due_at"),
        "planned",
    )
    readonly_fields = ("its_run", "state", "why", "share", "cost", "said", "tries", "planned")

    def find(self, term: str) -> models.Q:
        """By its run, or by what was sent for it."""
        run_id, _, step_id = term.partition(" ")
        if (found := of_run(run_id)) is not None:
            return found & models.Q(step_id=step_id.strip()) if step_id else found
        return models.Q(pk__in=list(of_attempts(term).values_list("step_id", flat=True)))

    @admin.display(description="why it waits")
    def why(self, step: Step) -> str:
        """In words."""
        return waits(step)

    @admin.display(description="took")
    def time(self, step: Step) -> str:
        """From its beginning."""
        return took(step.started_at, step.finished_at)

    @admin.display(description="attempts")
    def tries(self, step: Step) -> SafeString:
        """A link to them."""
        return list_link("runs_attempt", "attempts", step__id__exact=step.pk)

    @admin.display(description="as it was planned")
    def planned(self, step: Step) -> SafeString | str:
        """The planned step."""
        return json_block(step.spec)


@admin.register(Attempt)
class AttemptAdmin(OfRun):
    """Every try, newest first: what was sent, when it is looked at next, what it cost."""

    list_display = (
        "name",
        "its_run",
        "state",
        "provider",
        "provider_request_id",
        "polls",
        "tries",
        "share",
        "cost",
        "next_look",
        "began",
        "error",
    )
    list_filter = (word_filter("status", "status", AttemptStatus),)
    list_defer = ("urls", "logs", "step__spec")
    related = ("run", "step")
    search_help_text = "Run id, run id and step id, the provider's request id or an idempotency key, in full"
    fields = (
        ("name", "its_run", "its_step"),
        ("state", "error", "said"),
        ("provider", "model", "capability"),
        ("provider_request_id", "idem_key"),
        ("share", "queue_position", "seed"),
        ("quote_usd", "reserved_usd", "actual_usd", "cost_source"),
        ("polls", "tries", "rung_at"),
        ("due_at", "lease_until", "deadline_at"),
        ("created_at", "submitted_at", "accepted_at", "settling_at", "finished_at"),
        "log",
    )
    readonly_fields = ("name", "its_run", "its_step", "state", "share", "said", "log")
    actions = ["was_bought", "was_not_bought"]

    def find(self, term: str) -> models.Q:
        """By its run and step, or by what was sent."""
        found = of_run(term)
        return found if found is not None else models.Q(pk__in=list(of_attempts(term).values_list("pk", flat=True)))

    @admin.action(description="Unknown submission: it was bought, book its quote", permissions=["resolve"])
    def was_bought(self, request: HttpRequest, chosen: QuerySet[Attempt]) -> None:
        """The vendor's own job list shows it."""
        self._resolve(request, chosen, bought=True)

    @admin.action(description="Unknown submission: it was not bought, free its money", permissions=["resolve"])
    def was_not_bought(self, request: HttpRequest, chosen: QuerySet[Attempt]) -> None:
        """The vendor's own job list does not show it."""
        self._resolve(request, chosen, bought=False)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Who may change attempts at all."""
        return request.user.has_perm("runs.change_attempt")

    def _resolve(self, request: HttpRequest, chosen: QuerySet[Attempt], *, bought: bool) -> None:
        for attempt in chosen.select_related("run", "step"):
            try:
                resolve_unknown(attempt.run.run_id, attempt.pk, bought=bought, actor=f"user:{request.user.pk}")
            except Refused as exc:
                self.message_user(request, f"{self.name(attempt)}: {exc.detail}", messages.WARNING)
            else:
                note(request, [attempt], "Was bought." if bought else "Was not bought.")
                told = "its quote is booked" if bought else "its money is free"
                self.message_user(request, f"{self.name(attempt)}: {told}.", messages.SUCCESS)

    @admin.display(description="attempt", ordering="pk")
    def name(self, attempt: Attempt) -> str:
        """Its step, and which try it was."""
        return f"{attempt.step.step_id} #{attempt.number}"

    @admin.display(description="next look", ordering="due_at")
    def next_look(self, attempt: Attempt) -> str:
        """When the drain looks at it, to the second."""
        return moment(attempt.due_at)

    @admin.display(description="began", ordering="created_at")
    def began(self, attempt: Attempt) -> str:
        """To the second."""
        return moment(attempt.created_at)

    @admin.display(description="step")
    def its_step(self, attempt: Attempt) -> SafeString | str:
        """What it tries to make."""
        return row_link(attempt.step, attempt.step.step_id)

    @admin.display(description="provider's log")
    def log(self, attempt: Attempt) -> SafeString | str:
        """What the provider said, with its secrets taken out."""
        return json_block(attempt.logs)
