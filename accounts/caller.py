"""Who is calling, as every door below the HTTP border knows them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import User

from core.errors import Refused

ANONYMOUS = "anonymous"


class Scope(StrEnum):
    """What a token may be used for. A person who is logged in may do all of it."""

    READ = "read"  #: look at runs, recipes and assets
    RUN = "run"  #: plan and run with the mock, cancel
    LIVE = "live"  #: spend money
    PUBLISH = "publish"  #: write to the catalogue
    SECRETS = "secrets"  #: set, list and delete keys; no value is ever shown
    PRICES = "prices"  #: change what models are thought to cost; of staff only
    KEYS = "keys"  #: make, rotate and revoke API keys, none of which can do more than this one
    FLOWS = "flows"  #: send events, look at flows, work for them; of staff only
    ACCOUNT = "account"  #: take out what is held of the account, set its retention, delete it


class CallerUnknown(Refused):
    """Only a caller that we know may do this."""

    code = "NOT_AUTHENTICATED"
    title = "This needs a caller that we know."
    status = 401
    remediation = "Send `Authorization: Bearer <token>` (`zap token create NAME` makes one), or log in."


class CallerRefused(Refused):
    """We know the caller, and they may not do this."""

    code = "FORBIDDEN"
    title = "This caller may not do that."
    status = 403
    remediation = "Use an account or a token that may."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """One caller. `session_id` names the browser or script, never a credential; "" when there is none.

    `principal_id` is `user:<id>`, `token:<prefix>`, `share:<id>` or `anonymous`. `ends_at` is when their key ends;
    None: never. `shared_run` is the one run that a read token opens to them, "" where they showed none.
    """

    user: User | None = field(default=None, repr=False)
    principal_id: str = ANONYMOUS
    session_id: str = ""
    address: str = ""
    scopes: frozenset[str] = frozenset()
    is_staff: bool = False
    ends_at: datetime | None = None
    shared_run: str = ""

    @property
    def is_known(self) -> bool:
        """Whether we know who it is."""
        return self.user is not None

    @property
    def known_user(self) -> User:
        """The account. Raises CallerUnknown."""
        if self.user is None:
            raise CallerUnknown
        return self.user

    @property
    def key_scope(self) -> str:
        """Whose idempotency keys these are: the principal's; an anonymous caller's session's, or else address's."""
        if self.is_known:
            return self.principal_id
        return f"{ANONYMOUS}:session:{self.session_id}" if self.session_id else f"{ANONYMOUS}:address:{self.address}"

    def require(self, scope: Scope) -> None:
        """Raises CallerUnknown (401) or CallerRefused (403) unless the caller may use `scope`."""
        if not self.is_known:
            raise CallerUnknown
        if scope not in self.scopes:
            raise CallerRefused(f"This token does not have the scope {scope}.")

    def require_staff(self) -> None:
        """Raises CallerUnknown (401) or CallerRefused (403) unless the caller is staff."""
        self.require(Scope.READ)
        if not self.is_staff:
            raise CallerRefused("Only staff may see this.")
