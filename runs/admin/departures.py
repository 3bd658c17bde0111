"""People: letting an account go, how far those are that leave, and how long runs are kept."""

import re
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from accounts.leaving import departing
from accounts.models import Departure, Retention
from core.errors import ZapsError
from core.keyset import Keyset, KeysetLedger
from core.ledger import EMPTY, badge, moment
from runs.admin.audit import note
from runs.admin.confirm import ask, is_confirmed
from runs.deletion import retention

if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin

_NUMBER = re.compile(r"[0-9]{1,9}")

admin.site.unregister(User)


def numbered(term: str) -> list[int]:
    """The users of that number or name."""
    who = Q(username=term)
    if _NUMBER.fullmatch(term):
        who |= Q(pk=term)
    return list(User.objects.filter(who).values_list("pk", flat=True))


@admin.register(User)
class PeopleAdmin(Keyset, _UserAdmin):
    """Django's own, newest first. Nobody is deleted by their row: it is the number that the ledger names."""

    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login", "date_joined")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_help_text = "Number, in full, or the beginning of a name or an e-mail address"
    actions = ["let_go"]

    def find(self, term: str) -> Q:
        """By number, else by name, else by address."""
        if (found := numbered(term)) and _NUMBER.fullmatch(term):
            return Q(pk__in=found)
        by_name = Q(username__startswith=term)
        return by_name if User.objects.filter(by_name).exists() else Q(email__startswith=term)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: `let_go` does it."""
        return False

    def has_leave_permission(self, request: HttpRequest) -> bool:
        """Whoever could delete users."""
        return request.user.has_perm("auth.delete_user")

    @admin.action(description="Delete selected accounts, with all that they hold", permissions=["leave"])
    def let_go(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """Closed at once, emptied as soon as nothing of theirs is at a provider any more."""
        if not is_confirmed(request):
            question = "Delete these accounts? What runs is canceled; runs, files, keys and drafts go. The money stays."
            return ask(self, request, people, action="let_go", question=question)
        for user in people:
            try:
                departing.depart(user.pk, asked_by=f"user:{request.user.pk}")
            except ZapsError as exc:
                self.message_user(request, f"{user}: {exc.detail}", messages.ERROR)
            else:
                note(request, [user], "Told to go.")
                self.message_user(request, f"{user} is closed, and is being emptied.", messages.SUCCESS)
        return None


@admin.register(Departure)
class DepartureAdmin(KeysetLedger):
    """Accounts that leave, and what they wait for, newest first."""

    list_display = ("user", "state", "why", "asked_by", "asked", "done")
    list_select_related = ("user",)
    search_help_text = "The user's number or name, in full"
    fields = ("user", "state", "why", "asked_by", "asked", "done")
    readonly_fields = ("state", "why", "asked", "done")

    def find(self, term: str) -> Q:
        """By who leaves."""
        return Q(user__in=numbered(term))

    @admin.display(description="state")
    def state(self, departure: Departure) -> SafeString | str:
        """Whether anything is left."""
        return badge("deleting" if departure.done_at is None else "deleted")

    @admin.display(description="waits for")
    def why(self, departure: Departure) -> str:
        """In sentences."""
        return " ".join(departure.waits_for) or EMPTY

    @admin.display(description="asked")
    def asked(self, departure: Departure) -> str:
        """To the second."""
        return moment(departure.asked_at)

    @admin.display(description="gone")
    def done(self, departure: Departure) -> str:
        """To the second."""
        return moment(departure.done_at)


@admin.register(Retention)
class RetentionAdmin(KeysetLedger):
    """Owners who keep their runs for less than the operator does. They choose it themselves."""

    list_display = ("user", "days")
    list_select_related = ("user",)
    search_help_text = "The user's number or name, in full"
    fields = ("user", "days")

    def find(self, term: str) -> Q:
        """By whose it is."""
        return Q(user__in=numbered(term))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the number of runs that are too old now; looking deletes none."""
        if request.method == "GET" and not request.GET:
            count, is_all = retention.count_due()
            runs = "1 run is" if count == 1 else f"{count:,} runs are" if is_all else f"More than {count:,} runs are"
            self.message_user(request, f"{runs} too old, and deleted by and by.", messages.INFO)
        return super().changelist_view(request, extra_context)
