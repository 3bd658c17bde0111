"""The operators' door to tokens and idempotency keys."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import ApiToken, IdempotencyKey
from accounts.tokens import revoke
from core.ledger import Ledger, badge, json_block


@admin.register(ApiToken)
class ApiTokenAdmin(Ledger):
    """Tokens are made by `zap token create`, which alone can show one; here they are revoked."""

    list_display = ("name", "owner", "prefix", "allows", "state", "last_used_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    search_help_text = "Name, first characters or owner"
    date_hierarchy = "created_at"
    fields = ("name", "owner", "prefix", "allows", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
    readonly_fields = ("allows", "state")
    actions = ["revoke_tokens"]

    @admin.display(description="scopes")
    def allows(self, token: ApiToken) -> str:
        """What it may be used for."""
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: ApiToken) -> SafeString | str:
        """Whether it opens doors now."""
        if token.revoked_at is not None:
            return badge("revoked")
        return badge("live" if token.is_live(at=timezone.now()) else "expired")

    @admin.action(description="Revoke selected tokens", permissions=["revoke"])
    def revoke_tokens(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        """They open nothing any more."""
        count = 0
        for token in tokens.filter(revoked_at=None):
            revoke(token)
            count += 1
        self.message_user(request, f"{count} revoked; whoever uses one is refused from now on.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change tokens at all."""
        return request.user.has_perm("accounts.change_apitoken")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(Ledger):
    """Requests that must not be carried out twice."""

    list_display = ("key", "principal", "run_id", "answered", "created_at", "lease_until")
    list_defer = ("response_body",)
    search_fields = ("key__exact", "principal__exact", "run_id__exact")
    search_help_text = "Key, principal or run id, in full"
    date_hierarchy = "created_at"
    fields = ("key", "principal", "run_id", "answered", "request_hash", "created_at", "lease_until", "body")
    readonly_fields = ("answered", "body")

    @admin.display(description="answer")
    def answered(self, key: IdempotencyKey) -> SafeString | str:
        """The status that was answered."""
        return str(key.response_status) if key.response_status is not None else badge("at work")

    @admin.display(description="answer's body")
    def body(self, key: IdempotencyKey) -> SafeString | str:
        """What is answered again."""
        return json_block(key.response_body)
