"""Money: every movement, what is held and spent, and what each owner may spend."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.keyset import Keyset, KeysetLedger
from core.ledger import EMPTY, badge, list_link, moment, money, word_filter
from providers.registry import PROVIDERS
from runs.budgets import caps_of
from runs.models import Allowance, Budget, LedgerEntry
from zaps.planned import LOCAL

if TYPE_CHECKING:
    _Form = forms.ModelForm[Allowance]
else:
    _Form = forms.ModelForm


_SOURCES = ("reported", "derived", "quoted")  # only what was spent has one


@admin.register(LedgerEntry)
class LedgerEntryAdmin(KeysetLedger):
    """Every movement of money, newest first. Not even the database lets one be changed."""

    list_display = (
        "happened",
        "what",
        "amount",
        "quoted",
        "source",
        "who",
        "its_run",
        "its_step",
        "provider",
        "model",
        "day",
    )
    list_filter = (
        word_filter("kind", "kind", ("reserved", "released", "spent", "overshoot")),
        word_filter("source", "source", _SOURCES, also=dict.fromkeys(_SOURCES, Q(kind="spent"))),
        word_filter("provider", "provider", [*sorted(kind.name for kind in PROVIDERS), LOCAL]),
    )
    list_select_related = ("owner",)
    search_help_text = "Run id, or user, in full"
    fields = (
        ("what", "amount", "quoted", "source"),
        ("happened", "day"),
        ("its_run", "its_step"),
        ("who", "zap_slug"),
        ("provider", "model"),
    )
    readonly_fields = ("what", "amount", "quoted", "happened", "its_run", "its_step", "who")

    def find(self, term: str) -> Q:
        """By the run, or by whose money it was."""
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        return Q(run_id=term) if owner is None else Q(owner=owner)

    @admin.display(description="at", ordering="pk")
    def happened(self, entry: LedgerEntry) -> str:
        """To the second."""
        return moment(entry.at)

    @admin.display(description="kind", ordering="kind")
    def what(self, entry: LedgerEntry) -> SafeString | str:
        """What happened to the money."""
        return badge(entry.kind)

    @admin.display(description="amount", ordering="usd")
    def amount(self, entry: LedgerEntry) -> str:
        """How much."""
        return money(entry.usd)

    @admin.display(description="quote")
    def quoted(self, entry: LedgerEntry) -> str:
        """What had been expected of what was spent."""
        return money(entry.quote_usd) if entry.kind == "spent" else EMPTY

    @admin.display(description="owner")
    def who(self, entry: LedgerEntry) -> str:
        """By name, or by number where the account is gone."""
        if entry.owner is not None:
            return entry.owner.get_username()
        return f"#{entry.owner_id}" if entry.owner_id is not None else EMPTY

    @admin.display(description="run")
    def its_run(self, entry: LedgerEntry) -> SafeString:
        """A link to it, if it is still there."""
        return list_link("runs_run", entry.run_id, q=entry.run_id)

    @admin.display(description="step")
    def its_step(self, entry: LedgerEntry) -> str:
        """And which try it was."""
        return entry.step_id if entry.attempt is None else f"{entry.step_id} #{entry.attempt}"


class WhoseFilter(admin.SimpleListFilter):
    """What kind of sum it is."""

    title, parameter_name = "whose", "whose"
    _KINDS: ClassVar[dict[str, tuple[str, dict[str, bool]]]] = {
        "owner": ("an owner's, in all", {"owner__isnull": False, "day__isnull": True}),
        "owner-day": ("an owner's day", {"owner__isnull": False, "day__isnull": False}),
        "day": ("everybody's day", {"owner__isnull": True}),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three kinds."""
        return [(word, title) for word, (title, _) in self._KINDS.items()]

    def queryset(self, request: HttpRequest, budgets: QuerySet[Budget]) -> QuerySet[Budget]:
        """Those of that kind."""
        _, wanted = self._KINDS.get(self.value() or "", ("", {}))
        return budgets.filter(**wanted)


@admin.register(Budget)
class BudgetAdmin(KeysetLedger):
    """What runs together hold and have spent."""

    list_display = ("key", "who", "day", "held", "spent")
    list_filter = (WhoseFilter,)
    list_select_related = ("owner",)
    search_help_text = "User, in full, or the beginning of a key"
    fields = (("key", "who", "day"), ("held", "spent"))
    readonly_fields = ("who", "held", "spent")

    def find(self, term: str) -> Q:
        """By whose it is, else by key."""
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        return Q(key__startswith=term) if owner is None else Q(owner=owner)

    @admin.display(description="owner", ordering="owner")
    def who(self, budget: Budget) -> str:
        """By name."""
        return budget.owner.get_username() if budget.owner else "everybody"

    @admin.display(description="held", ordering="reserved_usd")
    def held(self, budget: Budget) -> str:
        """For what is at work or will be."""
        return money(budget.reserved_usd)

    @admin.display(description="spent", ordering="spent_usd")
    def spent(self, budget: Budget) -> str:
        """For good."""
        return money(budget.spent_usd)


class AllowanceForm(_Form):
    """Limits are no less than nothing."""

    class Meta:
        model = Allowance
        fields = ("owner", "cap_usd", "day_cap_usd")

    def _amount(self, name: str) -> Decimal | None:
        amount: Decimal | None = self.cleaned_data.get(name)
        if amount is not None and amount < 0:
            raise forms.ValidationError("A limit is 0 or more.")
        return amount

    def clean_cap_usd(self) -> Decimal | None:
        """In all."""
        return self._amount("cap_usd")

    def clean_day_cap_usd(self) -> Decimal | None:
        """A day."""
        return self._amount("day_cap_usd")


@admin.register(Allowance)
class AllowanceAdmin(Keyset):
    """What an owner may spend, where it is not what the settings say. The one table of money that people fill in."""

    form = AllowanceForm
    list_display = ("owner", "in_all", "a_day")
    list_select_related = ("owner",)
    autocomplete_fields = ("owner",)
    search_help_text = "User, in full"

    def find(self, term: str) -> Q:
        """By whose it is."""
        return Q(owner__in=list(User.objects.filter(username=term).values_list("pk", flat=True)))

    @admin.display(description="in all", ordering="cap_usd")
    def in_all(self, allowance: Allowance) -> str:
        """The limit that holds."""
        return _limit(allowance.cap_usd, caps_of(None).owner_usd)

    @admin.display(description="a UTC day", ordering="day_cap_usd")
    def a_day(self, allowance: Allowance) -> str:
        """The limit that holds."""
        return _limit(allowance.day_cap_usd, caps_of(None).owner_day_usd)


def _limit(own: Decimal | None, settings: Decimal | None) -> str:
    if own is not None:
        return money(own)
    return "no limit (settings)" if settings is None else f"{money(settings)} (settings)"
