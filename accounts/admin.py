"""Tokens and idempotency keys, for operators. Tokens are made by `zap token create`: only there can they be shown."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import ApiToken, IdempotencyKey
from accounts.tokens import revoke

if TYPE_CHECKING:
    TokenAdmin = admin.ModelAdmin[ApiToken]
    KeyAdmin = admin.ModelAdmin[IdempotencyKey]
else:
    TokenAdmin = KeyAdmin = admin.ModelAdmin


class ReadOnly:
    """Nothing is added or changed here."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnly, TokenAdmin):
    """Who holds tokens, and when each was last used."""

    list_display = ("name", "prefix", "owner", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("revoked_at", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    exclude = ("digest",)
    actions = ("revoke_tokens",)

    @admin.action(description="Revoke", permissions=["delete"])
    def revoke_tokens(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """The chosen tokens open nothing any more."""
        for token in queryset:
            revoke(token)
        self.message_user(request, "Revoked.")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly, KeyAdmin):
    """Which requests were carried out once."""

    list_display = ("key", "principal", "response_status", "run_id", "created_at", "lease_until")
    search_fields = ("=run_id", "=key", "principal")
    list_filter = ("response_status", "created_at")
    exclude = ("request_hash", "lease_token")
