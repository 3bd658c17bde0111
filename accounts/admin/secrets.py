"""The operators' pages of the vault: whose keys there are, who used them, and who may spend the operator's."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts.models import OperatorKeyGrant, Secret, SecretAccess
from accounts.vault.rotation import rotate
from core.errors import ZapsError
from core.keyset import Keyset, KeysetLedger
from core.ledger import EMPTY, word_filter
from providers.registry import PROVIDERS

_FINGERPRINT = 32  # characters


@admin.register(Secret)
class SecretAdmin(KeysetLedger):
    """Whose keys there are. They are set by `zap keys set` and the API, and read by nobody."""

    list_display = ("provider", "name", "whose", "request_ref", "ending", "fingerprint", "set_by", "updated_at")
    list_select_related = ("owner",)
    list_defer = ("ciphertext",)
    search_help_text = "Owner, provider, run or fingerprint, in full"
    fields = (
        "provider", "name", "whose", "request_ref", "ending", "fingerprint", "account", "set_by",
        "created_at", "updated_at", "rotated_at",
    )  # fmt: skip
    readonly_fields = ("whose", "ending")
    actions = ["rotate_selected"]

    def find(self, term: str) -> Q:
        """By owner or provider; else by the run that it came with, or by what it is."""
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if owner is not None:
            return Q(owner=owner)
        every = sorted(kind.name for kind in PROVIDERS)
        if term in every:
            return Q(provider=term)
        # An index leads from a provider to its fingerprints, and none to a fingerprint of whatever provider.
        is_print = len(term) == _FINGERPRINT
        return Q(provider__in=every, fingerprint=term) if is_print else Q(request_ref=term) & ~Q(request_ref="")

    @admin.action(description="Encrypt selected secrets again with the newest key", permissions=["rotate"])
    def rotate_selected(self, request: HttpRequest, secrets: QuerySet[Secret]) -> None:
        """As `manage.py rotate_secrets` does with all. Their values stay what they are, and unread."""
        try:
            rotated = rotate(secrets)
        except ZapsError as exc:
            self.message_user(request, f"{exc.code}: {exc.detail}", messages.ERROR)
            return
        for secret in secrets:
            self.log_change(request, secret, "Encrypted again.")
        self.message_user(request, f"{rotated.count} encrypted again.", messages.SUCCESS)
        for one in rotated.unreadable:
            self.message_user(request, f"{one}: no key of ours opens it; it must be set again.", messages.ERROR)

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        """Who may change secrets at all."""
        return request.user.has_perm("accounts.change_secret")

    @admin.display(description="owner", ordering="owner")
    def whose(self, secret: Secret) -> str:
        """The owner, or the operator."""
        return "the operator" if secret.owner is None else str(secret.owner)

    @admin.display(description="value")
    def ending(self, secret: Secret) -> str:
        """Its last characters."""
        return f"…{secret.last_four}" if secret.last_four else EMPTY


@admin.register(SecretAccess)
class SecretAccessAdmin(KeysetLedger):
    """Who used which key, and why."""

    list_display = ("at", "provider", "source", "owner", "used_for", "why", "run_id", "step_id", "attempt")
    list_select_related = ("owner",)
    list_filter = (word_filter("source", "source", ("request", "creator", "operator")),)
    search_help_text = "Owner, or run id, in full"
    fields = ("at", "provider", "source", "owner", "account", "used_for", "why", "run_id", "step_id", "attempt")

    def find(self, term: str) -> Q:
        """By owner, or by the run that it was for."""
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        return Q(owner=owner) if owner is not None else Q(run_id=term) & ~Q(run_id="")


@admin.register(OperatorKeyGrant)
class OperatorKeyGrantAdmin(Keyset):
    """Who may spend the operator's keys where ZAP_OPERATOR_KEYS_FOR says `allowed`. Given and taken, never changed."""

    list_display = ("user", "granted_by", "granted_at")
    list_select_related = ("user", "granted_by")
    search_help_text = "User, in full"
    autocomplete_fields = ("user",)
    fields = ("user",)

    def find(self, term: str) -> Q:
        """By who has it."""
        return Q(user__in=list(User.objects.filter(username=term).values_list("pk", flat=True)))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is nothing to change."""
        return False

    def save_model(self, request: HttpRequest, obj: OperatorKeyGrant, form: Any, change: bool) -> None:
        """Note who gave it."""
        obj.granted_by = request.user if isinstance(request.user, User) else None
        super().save_model(request, obj, form, change)
