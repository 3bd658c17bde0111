"""Admin pages of rows that the engine owns: they are looked at, linked and searched, never typed over.

Words that a page shows in colour carry a class and no style of their own, so one stylesheet serves light and dark.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin

EMPTY = "—"
STYLESHEET = "admin/zaps.css"
_TONES = {
    "good": ("done", "completed", "changed", "success", "published", "live", "in use", "closed"),
    "busy": ("running", "submitting", "accepted", "settling", "at work"),
    "care": ("waiting", "unknown", "partial", "canceling", "draft", "half_open", "blocked", "needs_intervention"),
    "bad": ("failed", "revoked", "expired", "open", "overshoot"),
    "calm": ("queued", "planned", "skipped", "canceled"),
}
_TONE_OF = {word: tone for tone, words in _TONES.items() for word in words}


class Ledger(_Admin):
    """A table that people read. Nothing is added, changed or deleted here; actions call the engine."""

    show_full_result_count = False
    list_per_page = 50
    list_defer: ClassVar[Sequence[str]] = ()  # large columns that lists do not show

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": [STYLESHEET]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the engine."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The engine changes them."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What happened stays."""
        return False

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        """Without the large columns in lists."""
        rows = super().get_queryset(request)
        return rows.defer(*self.list_defer) if self.list_defer and is_list(request) else rows

    def get_actions(self, request: HttpRequest) -> Any:
        """Only our own: deleting in bulk is deleting too."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


def is_list(request: HttpRequest) -> bool:
    """Whether the request is for a list page."""
    match = request.resolver_match
    return match is not None and str(match.url_name or "").endswith("_changelist")


def word_filter(
    title: str, name: str, words: type[StrEnum] | Sequence[str], *, also: Mapping[str, models.Q] | None = None
) -> type[admin.SimpleListFilter]:
    """A filter over a closed set of words, which needs no look at the table to know them.

    `also`: what else is true of a row with that word, so that an index finds it.
    """
    known = [(str(word), str(word).replace("_", " ")) for word in words]

    class WordFilter(admin.SimpleListFilter):
        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return known

        def queryset(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
            word = self.value()
            return rows.filter((also or {}).get(word, models.Q()), **{name: word}) if word else rows

    return type(f"{name.title()}Filter", (WordFilter,), {"title": title, "parameter_name": name})


def badge(word: str | None) -> SafeString | str:
    """A state as a coloured word."""
    if not word:
        return EMPTY
    return format_html('<span class="zap-badge zap-{}">{}</span>', _TONE_OF.get(word, "calm"), word.replace("_", " "))


def money(amount: Decimal | None) -> str:
    """`$1.25`; as many places as it takes to tell it from nothing."""
    if amount is None:
        return EMPTY
    whole, _, cents = f"{amount:.6f}".rstrip("0").partition(".")
    return f"${whole}.{cents:0<2}"


def span(duration: timedelta | None) -> str:
    """`0.4 s`, `8 s`, `3 min 20 s`, `1 h 02 min`."""
    if duration is None:
        return EMPTY
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02} min"


def took(began: datetime | None, ended: datetime | None) -> str:
    """How long it has been at it, or was."""
    return EMPTY if began is None else span((ended or timezone.now()) - began)


def moment(when: datetime | None) -> str:
    """Date and time to the second, in the page's zone."""
    return EMPTY if when is None else f"{timezone.localtime(when):%Y-%m-%d %H:%M:%S}"


def size(count: int) -> str:
    """`512 B`, `48 kB`, `3.2 MB`."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"


def row_link(row: models.Model | None, text: str = "") -> SafeString | str:
    """A link to the admin page of a row; reads nothing."""
    if row is None:
        return EMPTY
    meta = row._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}">{}</a>', url, text or str(row))


def list_link(label: str, text: str, **filters: object) -> SafeString:
    """A link to a filtered list; `label` is `app_model`."""
    query = "&".join(f"{name}={value}" for name, value in filters.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(f"admin:{label}_changelist"), query, text)


def text_block(text: str) -> SafeString | str:
    """A long text as it is, in lines that can be read."""
    return format_html('<pre class="zap-text">{}</pre>', text) if text else EMPTY


def json_block(value: Any) -> SafeString | str:
    """A JSON value, indented."""
    return text_block(json.dumps(value, indent=2, ensure_ascii=False)) if value else EMPTY
