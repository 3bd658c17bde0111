"""The read tokens of runs: to whom the door was opened, and when somebody last came through it."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import badge, row_link
from runs.admin.audit import note
from runs.admin.steps import of_run
from runs.models import RunShare


@admin.register(RunShare)
class RunShareAdmin(KeysetLedger):
    """Made by the owners of runs; here they are revoked."""

    list_display = ("share_id", "run_link", "shared_by", "state", "created_at", "expires_at", "last_used_at")
    list_select_related = ("run",)
    search_help_text = "Share, run or whoever made it, in full"
    fields = ("share_id", "run_link", "shared_by", "state", "created_at", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = ("run_link", "state")
    actions = ["revoke_shares"]

    def find(self, term: str) -> Q:
        """By whoever made it, by its run, else by its id."""
        if ":" in term:
            return Q(shared_by=term)
        found = of_run(term)
        return found if found is not None else Q(share_id=term)

    @admin.display(description="run")
    def run_link(self, share: RunShare) -> SafeString | str:
        """Its page."""
        return row_link(share.run)

    @admin.display(description="state")
    def state(self, share: RunShare) -> SafeString | str:
        """Whether it opens the run now."""
        if share.revoked_at is not None:
            return badge("revoked")
        return badge("live" if share.is_live(at=timezone.now()) else "expired")

    @admin.action(description="Revoke selected read tokens", permissions=["revoke"])
    def revoke_shares(self, request: HttpRequest, shares: QuerySet[RunShare]) -> None:
        """They open nothing any more."""
        live = list(shares.filter(revoked_at=None))
        RunShare.objects.filter(pk__in=[share.pk for share in live]).update(revoked_at=timezone.now())
        note(request, live, "Revoked.")
        self.message_user(request, f"{len(live)} revoked; whoever uses one is refused from now on.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change read tokens at all."""
        return request.user.has_perm("runs.change_runshare")
