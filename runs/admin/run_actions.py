"""What an operator does to runs in bulk: cancel, retry, resume, delete. Each for itself: one refusal stops no other."""

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from core.errors import Conflict, ZapsError
from core.keyset import AT_ONCE, KeysetLedger
from runs.admin.audit import note, tell
from runs.admin.confirm import ask, is_confirmed, what_it_may_cost
from runs.control import cancel_run, resume_run, retry_run
from runs.deletion import delete_run
from runs.models import Run


class RunActions(KeysetLedger):
    """The same functions as behind the interface, in the name of whoever presses."""

    actions = ["cancel_selected", "retry_selected", "resume_selected", "erase_selected"]

    @admin.action(description="Cancel selected runs", permissions=["cancel"])
    def cancel_selected(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """Stop those that have not ended."""
        self.cancel(request, list(runs.values_list("run_id", flat=True)))

    @admin.action(description="Retry what waits or failed in selected runs", permissions=["cancel"])
    def retry_selected(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        """In a new round, within each run's cap."""
        return self._go_on(request, runs, "retry_selected", retry_run, "Retry?")

    @admin.action(description="Resume selected runs", permissions=["cancel"])
    def resume_selected(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        """Those that failed, were canceled, or wait for money, within each run's cap."""
        return self._go_on(request, runs, "resume_selected", resume_run, "Resume?")

    @admin.action(description="Delete what is in selected runs", permissions=["cancel"])
    def erase_selected(self, request: HttpRequest, runs: QuerySet[Run]) -> HttpResponse | None:
        """Of those that have ended: all that was given, said and made goes, what it cost stays."""
        chosen = runs.filter(deleted_at=None).order_by("pk")[:AT_ONCE]
        if not is_confirmed(request):
            question = "Delete what was given, said and made in these runs? It cannot be brought back."
            return ask(self, request, chosen, action="erase_selected", question=question)
        run_ids = list(chosen.values_list("run_id", flat=True))
        self._each(request, run_ids, delete_run, noted="Deleted.", told="{} was deleted.")
        return None

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        """Who may change runs at all."""
        return request.user.has_perm("runs.change_run")

    def cancel(self, request: HttpRequest, run_ids: Sequence[str]) -> None:
        """Cancel these and say what became of them."""
        done: list[str] = []
        ended, refused = 0, []
        try:
            for run_id in run_ids:
                try:
                    cancel_run(run_id, actor=f"user:{request.user.pk}")
                except Conflict:
                    ended += 1
                except ZapsError as exc:
                    refused.append(f"{run_id}: {exc.detail}")
                else:
                    done.append(run_id)
        finally:
            note(request, Run.objects.filter(run_id__in=done).order_by("pk"), "Canceled.")
        tell(self, request, refused, messages.ERROR)
        if canceled := len(done):
            told = "1 run was canceled." if canceled == 1 else f"{canceled} runs were canceled."
            told += " What a provider is busy with is told to stop, and billed truthfully."
            self.message_user(request, told, messages.SUCCESS)
        if ended:
            told = "1 run had ended already." if ended == 1 else f"{ended} runs had ended already."
            self.message_user(request, told, messages.WARNING)

    def _go_on(
        self, request: HttpRequest, runs: QuerySet[Run], action: str, verb: Callable[..., Any], question: str
    ) -> HttpResponse | None:
        chosen = runs.order_by("pk")[:AT_ONCE]
        named = list(chosen.values_list("run_id", "provider_mode"))
        run_ids = [run_id for run_id, _ in named]
        if any(mode == "live" for _, mode in named) and not is_confirmed(request):
            return ask(self, request, chosen, action=action, question=f"{question} {what_it_may_cost(run_ids)}")
        noted = f"{question.rstrip('?')}: made to go on."
        self._each(request, run_ids, verb, noted=noted, told="{} goes on.")
        return None

    def _each(
        self, request: HttpRequest, run_ids: Sequence[str], verb: Callable[..., Any], *, noted: str, told: str
    ) -> None:
        """Note what was done, also where it ends in the middle, and say what came of each."""
        done, refused = [], []
        try:
            for run_id in run_ids:
                try:
                    verb(run_id, actor=f"user:{request.user.pk}")
                except ZapsError as exc:
                    refused.append(f"{run_id}: {exc.code}: {exc.detail}")
                else:
                    done.append(run_id)
        finally:
            note(request, Run.objects.filter(run_id__in=done).order_by("pk"), noted)
        tell(self, request, refused, messages.ERROR)
        tell(self, request, [told.format(run_id) for run_id in done], messages.SUCCESS)
