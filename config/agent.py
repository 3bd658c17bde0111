"""What this server tells an agent that finds it: what it is, where things are, how to get in. Public facts only."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.caller import Scope
from core.api.links import public_url


@require_safe
@cache_control(public=True, max_age=3600)
def agent_card(request: HttpRequest) -> JsonResponse:
    """The card. Any page in any browser may read it: there is nothing in it that is anybody's."""
    return JsonResponse(_card(), headers={"Access-Control-Allow-Origin": "*"})


def _card() -> dict[str, Any]:
    spectacular = settings.SPECTACULAR_SETTINGS
    return {
        "name": spectacular["TITLE"],
        "description": spectacular["DESCRIPTION"].partition("\n")[0],
        "version": spectacular["VERSION"],
        "url": public_url("/"),
        "api": {
            "url": public_url("/api"),
            "schema": public_url("/api/schema"),
            "recipes": public_url("/api/zaps"),
            "run": public_url("/api/zaps/run"),
            "errors": "application/problem+json with code, detail, remediation and retryable (RFC 9457)",
        },
        "auth": {
            "type": "bearer",
            "header": "Authorization: Bearer TOKEN",
            "how": "A person with an account makes a token: `zap token create NAME`.",
            "scopes": [str(scope) for scope in Scope],
            "openModes": list(settings.ZAP_OPEN_MODES),
        },
        "mcp": {
            "transport": "stdio",
            "command": "zap",
            "args": ["mcp"],
            "env": {"ZAP_API_URL": settings.ZAP_PUBLIC_URL or None, "ZAP_TOKEN": None},
        },
        "health": {"alive": public_url("/healthz"), "ready": public_url("/readyz")},
    }
