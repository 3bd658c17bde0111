"""From a request to a Caller: a bearer token, a logged-in browser, or nobody."""

import hashlib
import re
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.caller import ANONYMOUS, Caller, Scope
from accounts.models import ApiToken
from accounts.tokens import find_token, touch
from core.errors import BadInput, Problem

_SESSION = re.compile(r"[A-Za-z0-9._~-]{1,80}")
_EVERYTHING = frozenset(Scope)


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer zap_…`. Another scheme is not our business; a bad token is refused, not ignored."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's owner and the token; None without a bearer header. Raises AuthenticationFailed."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed("The Authorization header must be `Bearer <token>`.")
        return self.holder_of(words[1].decode("latin-1"))

    def holder_of(self, plain: str) -> tuple[User, ApiToken]:
        """The owner of a token and the token. Raises AuthenticationFailed."""
        now = timezone.now()
        token = find_token(plain, at=now)
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked.")
        touch(token, at=now)
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return 'Bearer realm="zap"'


class BearerTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema speaks of it."""

    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `zap token create NAME`, or POST /api/keys.",
        }


AUTHENTICATORS = (BearerToken, SessionAuthentication)  # the second enforces CSRF


def caller_of(request: Request) -> Caller:
    """Who sent `request`. Raises AuthenticationFailed, PermissionDenied (CSRF) or BadInput (X-Zap-Session)."""
    user, token = request.user, request.auth
    session_id = _session_of(request)
    address = str(request.META.get("REMOTE_ADDR", ""))
    if isinstance(token, ApiToken):
        return Caller(
            user=token.owner, principal_id=f"token:{token.prefix}", session_id=session_id, address=address,
            scopes=frozenset(token.scopes), is_staff=token.owner.is_staff, ends_at=token.expires_at,
        )  # fmt: skip
    if user is None or not user.is_authenticated:
        return Caller(principal_id=ANONYMOUS, session_id=session_id, address=address)
    return Caller(
        user=user, principal_id=f"user:{user.pk}", session_id=session_id, address=address,
        scopes=_EVERYTHING, is_staff=user.is_staff,
    )  # fmt: skip


def caller_of_plain(request: HttpRequest) -> Caller:
    """The same for a view that DRF does not serve."""
    return caller_of(Request(request, authenticators=[kind() for kind in AUTHENTICATORS]))


def _session_of(request: Request) -> str:
    """The X-Zap-Session header, or a name for the browser's session that cannot be used as its cookie."""
    header = request.headers.get("X-Zap-Session")
    if header is not None:
        if not _SESSION.fullmatch(header):
            sentence = "X-Zap-Session has 1 to 80 letters, digits, dots, dashes, underscores or tildes."
            raise BadInput(sentence, problems=[Problem(code="SESSION_INVALID", message=sentence, path="X-Zap-Session")])
        return header
    session = cast(Any, getattr(request, "session", None))
    key = session.session_key if session is not None else None
    return f"browser-{hashlib.sha256(key.encode()).hexdigest()[:32]}" if key else ""
