"""The addresses of the catalogue, below /api/."""

from django.urls import path, register_converter

from core.api.converters import Slug
from zaps.api.views import PublishZap, ValidateZap, Zaps, ZapView

SLUG = "zap_slug"
register_converter(Slug, SLUG)

urlpatterns = [
    path("zaps", Zaps.as_view(), name="zaps"),
    path("zaps/validate", ValidateZap.as_view(), name="validate-zap"),
    path("zaps/publish", PublishZap.as_view(), name="publish-zap"),
    path(f"zaps/<{SLUG}:slug>", ZapView.as_view(), name="zap"),
]
