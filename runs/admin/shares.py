"""The read tokens of runs: to whom the door was opened, and when somebody last came through it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from core.ledger import Ledger, badge, row_link
from runs.models import RunShare


@admin.register(RunShare)
class RunShareAdmin(Ledger):
    """Made by the owners of runs; here they are revoked."""

    list_display = ("share_id", "run_link", "shared_by", "state", "created_at", "expires_at", "last_used_at")
    list_select_related = ("run",)
    search_fields = ("share_id__exact", "run__run_id__exact", "shared_by__exact")
    search_help_text = "Share, run or whoever made it, in full"
    fields = ("share_id", "run_link", "shared_by", "state", "created_at", "expires_at", "last_used_at", "revoked_at")
    readonly_fields = ("run_link", "state")
    actions = ["revoke_shares"]

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
        count = shares.filter(revoked_at=None).update(revoked_at=timezone.now())
        self.message_user(request, f"{count} revoked; whoever uses one is refused from now on.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change read tokens at all."""
        return request.user.has_perm("runs.change_runshare")
