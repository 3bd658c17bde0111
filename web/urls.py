"""The addresses of the pages, from the root."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, path, register_converter

from core.api.converters import KeyPrefix, ProviderName, PublicId, Slug
from web.account import account, make_key, revoke_key, rotate_key, secret
from web.fork import fork, fork_plan
from web.gallery import gallery
from web.guard import View, fenced
from web.interface import interface
from web.posters import chosen, drawn, icon, still
from web.recipe import plan, recipe, run
from web.runs import act, delete, my_runs, one_run, share
from web.studio import check, keep, studio
from web.versions import versions

register_converter(PublicId, "page_run")
register_converter(KeyPrefix, "page_key")
register_converter(ProviderName, "page_provider")
register_converter(Slug, "page_slug")


def _page(address: str, view: View, name: str) -> URLPattern:
    return path(address, fenced(view), name=name)


urlpatterns = [
    _page("", gallery, "gallery"),
    _page("favicon.ico", icon, "favicon"),
    _page("zaps/<page_slug:slug>", recipe, "recipe"),
    _page("zaps/<page_slug:slug>/plan", plan, "recipe-plan"),
    _page("zaps/<page_slug:slug>/run", run, "recipe-run"),
    _page("zaps/<page_slug:slug>/poster.svg", drawn, "poster"),
    _page("zaps/<page_slug:slug>/poster.jpg", chosen, "chosen-poster"),
    _page("stills/<page_run:asset_id>.jpg", still, "still"),
    _page("zaps/<page_slug:slug>/versions", versions, "versions"),
    _page("api/docs", interface, "interface"),
    _page("studio", studio, "studio"),
    _page("studio/check", check, "studio-check"),
    _page("studio/keep", keep, "studio-keep"),
    _page("runs", my_runs, "my-runs"),
    _page("runs/<page_run:run_id>", one_run, "run-page"),
    _page("runs/<page_run:run_id>/fork", fork, "run-fork"),
    _page("runs/<page_run:run_id>/fork/plan", fork_plan, "run-fork-plan"),
    _page("runs/<page_run:run_id>/delete", delete, "run-delete"),
    _page("runs/<page_run:run_id>/share", share, "run-share"),
    _page("runs/<page_run:run_id>/<slug:verb>", act, "run-act"),
    _page("account", account, "account"),
    _page("account/keys", make_key, "account-keys"),
    _page("account/keys/<page_key:prefix>/rotate", rotate_key, "account-rotate-key"),
    _page("account/keys/<page_key:prefix>/revoke", revoke_key, "account-revoke-key"),
    _page("account/secrets/<page_provider:provider>/<slug:verb>", secret, "account-secret"),
    _page("sign-in", LoginView.as_view(template_name="web/sign_in.html", redirect_authenticated_user=True), "sign-in"),
    _page("sign-out", LogoutView.as_view(), "sign-out"),
]
