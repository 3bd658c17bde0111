"""What failed for good: why, what it cost, and making it go on."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import moment, money, row_link, word_filter
from providers.registry import PROVIDERS
from runs.admin.audit import note, tell
from runs.admin.confirm import ask, is_confirmed, what_it_may_cost
from runs.admin.steps import of_run
from runs.dead_letters import BULKY, redrive, spends_money
from runs.faults import explain
from runs.models import DeadLetter, Run, Step
from zaps.planned import LOCAL


@admin.register(DeadLetter)
class DeadLetterAdmin(KeysetLedger):
    """Failed steps of failed runs, what failed last first."""

    keys = ("finished_at", "pk")
    list_display = ("its_step", "its_run", "provider", "model", "error", "sentence", "cost", "happened")
    list_filter = (
        word_filter("provider", "provider", [*sorted(kind.name for kind in PROVIDERS), LOCAL]),
        word_filter("mode", "run__provider_mode", ("mock", "live")),
    )
    list_display_links = None
    search_help_text = "Run id, run id and step id, error's code, model or recipe, in full"
    fields = (("its_run", "its_step"), ("provider", "model"), ("error", "sentence"), ("cost", "happened"))
    readonly_fields = ("its_run", "its_step", "sentence", "cost", "happened")
    actions = ["redrive_selected"]

    def find(self, term: str) -> Q:
        """By its run; else by code or recipe, where it is one; else by model."""
        run_id, _, step_id = term.partition(" ")
        if (found := of_run(run_id)) is not None:
            return found & Q(step_id=step_id.strip()) if step_id else found
        if term.isupper():
            return Q(error=term)
        return Q(run__zap_slug=term) if Run.objects.filter(zap_slug=term).exists() else Q(model=term)

    @admin.display(description="step")
    def its_step(self, letter: DeadLetter) -> SafeString | str:
        """With a link to everything that was tried."""
        return row_link(Step(pk=letter.pk), letter.step_id)

    @admin.display(description="run")
    def its_run(self, letter: DeadLetter) -> SafeString | str:
        """The run that failed with it."""
        return row_link(letter.run, letter.run.run_id)

    @admin.display(description="what it means")
    def sentence(self, letter: DeadLetter) -> str:
        """The code in words, and what to do."""
        fault = explain(letter.error)
        return f"{fault.message} {fault.remediation}"

    @admin.display(description="cost")
    def cost(self, letter: DeadLetter) -> str:
        """What all its attempts cost."""
        return money(letter.actual_usd)

    @admin.display(description="failed")
    def happened(self, letter: DeadLetter) -> str:
        """To the second."""
        return moment(letter.finished_at)

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        """Without the runs' texts."""
        letters: QuerySet[DeadLetter] = super().get_queryset(request)
        return letters.defer(*BULKY)

    @admin.action(description="Redrive selected dead letters", permissions=["redrive"])
    def redrive_selected(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> HttpResponse | None:
        """Make all that failed in their runs again; each run is told for itself what happened."""
        runs = list(dict.fromkeys(letters.values_list("run__run_id", flat=True)))
        if spends_money(runs) and not is_confirmed(request):
            at_stake = what_it_may_cost(runs)
            return ask(self, request, letters, action="redrive_selected", question=f"Redrive? {at_stake}")
        done, refused = {}, []
        for outcome in redrive(runs, actor=f"user:{request.user.pk}"):
            if outcome.refused is None:
                done[outcome.run_id] = f"{outcome.run_id} goes on; {', '.join(outcome.step_ids)} made again."
            else:
                refused.append(f"{outcome.run_id}: {outcome.refused.code}: {outcome.refused.detail}")
        note(request, Run.objects.filter(run_id__in=done).order_by("pk"), "Redriven.")
        tell(self, request, refused, messages.ERROR)
        tell(self, request, list(done.values()), messages.SUCCESS)
        return None

    def has_redrive_permission(self, request: HttpRequest) -> bool:
        """Who may change steps at all."""
        return request.user.has_perm("runs.change_deadletter")
