"""Runs: the list, the page of one run, and stopping one."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from core.ledger import (
    EMPTY,
    badge,
    is_list,
    json_block,
    list_link,
    moment,
    money,
    text_block,
    took,
    word_filter,
)
from runs.admin.page import picture_of
from runs.admin.run_actions import RunActions
from runs.admin.steps import of_attempts
from runs.admin.words import waits
from runs.models import Run, Step
from runs.states import RUN_FINAL, RunStatus, Stage, StepStatus, WaitReason

# What is true of a run in that stage, or waiting for that, besides: an index finds it by its status.
_OPEN = Q(status__in=[status for status in RunStatus if status not in RUN_FINAL])
_ENDS = {Stage.COMPLETE: RunStatus.DONE, Stage.FAILED: RunStatus.FAILED, Stage.CANCELED: RunStatus.CANCELED}
_STAGES = {str(stage): Q(status=_ENDS[stage]) if stage in _ENDS else _OPEN for stage in Stage}


def _count(condition: Q) -> Coalesce:
    """Of the row's own steps; a subquery, so that it is counted for the rows of one page only."""
    steps = Step.objects.filter(condition, run=OuterRef("pk")).order_by().values("run")
    return Coalesce(Subquery(steps.annotate(many=Count("pk")).values("many"), output_field=IntegerField()), 0)


@admin.register(Run)
class RunAdmin(RunActions):
    """Every run, newest first."""

    change_form_template = "admin/runs/run/change_form.html"
    list_display = (
        "run_id",
        "zap_slug",
        "state",
        "why",
        "steps_done",
        "cost",
        "began",
        "time",
        "provider_mode",
        "asked_by",
    )
    list_filter = (
        word_filter("status", "status", RunStatus),
        word_filter("stage", "stage", Stage, also=_STAGES),
        word_filter("mode", "provider_mode", ("mock", "live")),
        word_filter("waits for", "wait_reason", WaitReason, also=dict.fromkeys(map(str, WaitReason), _OPEN)),
    )
    list_select_related = ("owner",)
    list_defer = ("source", "prompts", "inputs")
    keys = ("started_at", "pk")
    search_help_text = "Run id, provider's request id, idempotency key, user or user:7, or a recipe's beginning"
    readonly_fields = ("recipe_text", "prompt_files", "given_inputs", "its_events")
    fieldsets = (
        ("Inputs", {"classes": ("collapse",), "fields": ("given_inputs",)}),
        (
            "Recipe as it was when the run began",
            {"classes": ("collapse",), "fields": ("recipe_text", "prompt_files", "content_hash")},
        ),
        (
            "Bookkeeping",
            {
                "classes": ("collapse",),
                "fields": (
                    "principal_id",
                    "session_id",
                    "revision",
                    "quote_usd",
                    "cap_usd",
                    "reserved_usd",
                    "cost_usd",
                    "due_at",
                    "rung_at",
                    "its_events",
                ),
            },
        ),
    )

    @admin.display(description="status", ordering="status")
    def state(self, run: Run) -> SafeString | str:
        """Where it stands."""
        return badge(run.status if run.deleted_at is None else "deleted")

    @admin.display(description="why it stands")
    def why(self, run: Run) -> str:
        """What it waits for, or why it failed; else what it is busy with."""
        return waits(run) or run.error or (EMPTY if run.status in RUN_FINAL else run.stage)

    @admin.display(description="steps")
    def steps_done(self, run: Any) -> str:
        """How many of them are done."""
        return f"{run.done_steps} / {run.all_steps}"

    @admin.display(description="cost", ordering="cost_usd")
    def cost(self, run: Run) -> str:
        """What it has cost, of what it may."""
        return f"{money(run.cost_usd)} of {money(run.cap_usd)}"

    @admin.display(description="asked by", ordering="owner")
    def asked_by(self, run: Run) -> str:
        """Its owner, or whoever it was."""
        return run.owner.get_username() if run.owner else run.principal_id or EMPTY

    @admin.display(description="started", ordering="started_at")
    def began(self, run: Run) -> str:
        """To the second."""
        return moment(run.started_at)

    @admin.display(description="took")
    def time(self, run: Run) -> str:
        """From its beginning."""
        return took(run.started_at, run.finished_at)

    @admin.display(description="Zap.md")
    def recipe_text(self, run: Run) -> SafeString | str:
        """The recipe's text."""
        return text_block(run.source)

    @admin.display(description="prompt files")
    def prompt_files(self, run: Run) -> SafeString | str:
        """Each with its path above it."""
        return text_block("\n\n".join(f"── {path}\n{text}" for path, text in sorted(run.prompts.items())))

    @admin.display(description="inputs")
    def given_inputs(self, run: Run) -> SafeString | str:
        """What the caller gave."""
        return json_block(run.inputs)

    @admin.display(description="events")
    def its_events(self, run: Run) -> SafeString:
        """A link to all of them."""
        return list_link("runs_runevent", "all events", run__id__exact=run.pk)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """In lists with the number of steps."""
        runs: QuerySet[Run] = super().get_queryset(request)
        if is_list(request):
            return runs.annotate(all_steps=_count(Q()), done_steps=_count(Q(status=StepStatus.DONE)))
        return runs.select_related("owner")

    def find(self, term: str) -> Q:
        """By whatever is complete and names few; else by the beginning of its recipe's name."""
        tried = of_attempts(term).values_list("run_id", flat=True)
        found = [*Run.objects.filter(run_id=term).values_list("pk", flat=True), *tried]
        if found:
            return Q(pk__in=found)
        user = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if user is not None:
            return Q(owner=user)
        return Q(principal_id=term) if ":" in term else Q(zap_slug__startswith=term)

    def get_urls(self) -> list[URLPattern]:
        """Its own, and stopping one run."""
        stop = path(
            "<int:pk>/cancel/", self.admin_site.admin_view(require_POST(self.cancel_one)), name="runs_run_cancel"
        )
        return [stop, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The run as one picture: what it is, its steps with their attempts and assets, what happened."""
        run = self.get_object(request, object_id)
        context: dict[str, Any] = {"title": "Run", "subtitle": None, **(extra_context or {})}
        if run is not None and self.has_view_permission(request, run):
            context["picture"] = picture_of(run)
            context["can_cancel"] = run.status not in RUN_FINAL and self.has_cancel_permission(request)
        return super().change_view(request, object_id, form_url, context)

    def cancel_one(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Stop the run of that page."""
        if not self.has_cancel_permission(request):
            return HttpResponse(status=403)
        self.cancel(request, list(Run.objects.filter(pk=pk).values_list("run_id", flat=True)))
        return HttpResponseRedirect(reverse("admin:runs_run_change", args=[pk]))
