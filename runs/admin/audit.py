"""Who did what: every change in the admin and by staff through the interface, newest first. Nobody can change it."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model, Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, moment

_SAID = 20
_WORDS = {ADDITION: "added", CHANGE: "changed", DELETION: "deleted"}


class DoneFilter(admin.SimpleListFilter):
    """By what was done."""

    title = "what was done"
    parameter_name = "done"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three there are."""
        return [(str(flag), word) for flag, word in _WORDS.items()]

    def queryset(self, request: HttpRequest, entries: Any) -> Any:
        """All for a word that is none."""
        known = {str(flag): flag for flag in _WORDS}
        flag = known.get(self.value() or "")
        return entries if flag is None else entries.filter(action_flag=flag)


@admin.register(LogEntry)
class AuditAdmin(KeysetLedger):
    """Who did what, when, to which row or address."""

    list_display = ("happened", "who", "done", "what", "told")
    list_display_links = ("happened",)
    list_filter = (DoneFilter,)
    list_select_related = ("user", "content_type")
    search_help_text = "User, a row's key or a run id, in full; or the beginning of an address"
    fields = (("happened", "who"), ("done", "what"), "told")
    readonly_fields = ("happened", "who", "done", "what", "told")

    def find(self, term: str) -> Q:
        """By who did it, else by what it was done to."""
        user = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if user is not None:
            return Q(user=user)
        # Whatever was done to a run: here by its id, through the interface by its address.
        return Q(object_id=term) | Q(object_repr__startswith=term) | Q(object_repr__startswith=f"/api/runs/{term}/")

    @admin.display(description="at")
    def happened(self, entry: LogEntry) -> str:
        """To the second."""
        return moment(entry.action_time)

    @admin.display(description="who")
    def who(self, entry: LogEntry) -> str:
        """By name."""
        return str(entry.user.get_username())

    @admin.display(description="did")
    def done(self, entry: LogEntry) -> SafeString | str:
        """Added, changed or deleted."""
        return badge(_WORDS.get(entry.action_flag))

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> SafeString | str:
        """The row, with a link where it may still be there; or the interface's address."""
        url = entry.get_admin_url() if entry.content_type and entry.action_flag != DELETION else None
        kind = f"{entry.content_type.name} " if entry.content_type else ""
        if url is None:
            return f"{kind}{entry.object_repr}"
        return format_html('{}<a href="{}">{}</a>', kind, url, entry.object_repr)

    @admin.display(description="how")
    def told(self, entry: LogEntry) -> str:
        """Which fields, or which action."""
        return entry.get_change_message() or EMPTY


def tell(page: Any, request: HttpRequest, lines: Sequence[str], level: int) -> None:
    """What came of an action, a line a row; of many rows the first, and how many more there are."""
    for line in lines[:_SAID]:
        page.message_user(request, line, level)
    if (more := len(lines) - _SAID) > 0:
        page.message_user(request, f"… and {more} more.", level)


def note(request: HttpRequest, rows: Iterable[Model], message: str) -> None:
    """An action of the admin was carried out for these rows. One statement, however many they are."""
    LogEntry.objects.log_actions(int(request.user.pk or 0), list(rows), CHANGE, message)
