"""Mounts the rooms' addresses."""

from django.contrib import admin
from django.http import Http404
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from config.agent import agent_card
from config.health import healthz, readyz
from config.metrics import metrics
from config.openapi import schema
from core.api import problems
from runs.admin.dashboard import home

handler400 = "core.api.problems.bad_request"
handler403 = "core.api.problems.permission_denied"
handler404 = "core.api.problems.not_found"
handler500 = "core.api.problems.server_error"

urlpatterns = [
    path("admin/", home),
    path("admin/", admin.site.urls),
    path("healthz", healthz),
    path("readyz", readyz),
    path("metrics", metrics),
    path(".well-known/agent.json", agent_card),
    path("api/schema", schema, name="schema"),
    # runs first: its zaps/run would be taken for a slug otherwise.
    path("api/", include("runs.api.urls")),
    path("api/", include("zaps.api.urls")),
    path("api/", include("accounts.api.urls")),
    path("api/", include("notifications.api.urls")),
    path("api/", include("automations.api.urls")),
    path("", include("web.urls")),
    path("api/flows/", include("flows.api.urls")),
    # In DEBUG, too, a wrong address of the API is answered with a problem document.
    re_path("^api/", csrf_exempt(problems.not_found), {"exception": Http404()}),
]
