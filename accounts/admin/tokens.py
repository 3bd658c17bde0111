"""The operators' pages of API tokens, and of requests that must not be carried out twice."""

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import ApiToken, IdempotencyKey
from accounts.tokens import revoke
from core.keyset import KeysetLedger
from core.ledger import badge, json_block


@admin.register(ApiToken)
class ApiTokenAdmin(KeysetLedger):
    """Keys are made and rotated by their owners, who alone can be shown one; here they are revoked."""

    list_display = ("name", "owner", "prefix", "allows", "state", "last_used_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    search_help_text = "Owner, in full; or the first characters of the key, or of its name"
    fields = (
        "name", "owner", "prefix", "allows", "state", "created_at", "last_used_at", "expires_at",
        ("rotated_at", "old_until"), "revoked_at",
    )  # fmt: skip
    readonly_fields = ("allows", "state")
    actions = ["revoke_tokens"]

    def find(self, term: str) -> Q:
        """By owner, else by how it begins."""
        owner = User.objects.filter(username=term).values_list("pk", flat=True).first()
        if owner is not None:
            return Q(owner=owner)
        by_key = Q(prefix__startswith=term)
        return by_key if ApiToken.objects.filter(by_key).exists() else Q(name__startswith=term)

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
            self.log_change(request, token, "Revoked.")
            count += 1
        self.message_user(request, f"{count} revoked; whoever uses one is refused from now on.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change tokens at all."""
        return request.user.has_perm("accounts.change_apitoken")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(KeysetLedger):
    """Requests that must not be carried out twice."""

    list_display = ("key", "principal", "run_id", "answered", "created_at", "lease_until")
    list_defer = ("response_body",)
    search_help_text = "Whose it is (user:7), that and the key, or a run id, in full"
    fields = ("key", "principal", "run_id", "answered", "request_hash", "created_at", "lease_until", "body")
    readonly_fields = ("answered", "body")

    def find(self, term: str) -> Q:
        """By whose it is and its name; else by the run that it began."""
        principal, _, key = term.partition(" ")
        if ":" in principal:
            return Q(principal=principal, key=key.strip()) if key else Q(principal=principal)
        return Q(run_id=term) & ~Q(run_id="")

    @admin.display(description="answer")
    def answered(self, key: IdempotencyKey) -> SafeString | str:
        """The status that was answered."""
        return str(key.response_status) if key.response_status is not None else badge("at work")

    @admin.display(description="answer's body")
    def body(self, key: IdempotencyKey) -> SafeString | str:
        """What is answered again."""
        return json_block(key.response_body)
