"""Asking before money is spent: the same order again, with a question above it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import Count, F, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from core.ledger import money
from core.money import ZERO
from runs.models import Run

if TYPE_CHECKING:
    _Page = ModelAdmin[Any]

_ANSWER = "confirmed"


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the question was answered."""
    return request.POST.get(_ANSWER) == "yes"


def ask(page: "_Page", request: HttpRequest, rows: QuerySet[Any], *, action: str, question: str) -> HttpResponse:
    """A page that orders the same for the same rows, once its button is pressed."""
    context = {
        **page.admin_site.each_context(request),
        "title": "Are you sure?",
        "opts": page.model._meta,
        "media": page.media,
        "question": question,
        "action": action,
        "rows": list(rows),
        "checkbox": ACTION_CHECKBOX_NAME,
        "answer": _ANSWER,
    }
    return TemplateResponse(request, "admin/operators/confirm.html", context)


def what_it_may_cost(run_ids: Sequence[str]) -> str:
    """The most that the live ones among these may still spend below their caps, in a sentence."""
    live = Run.objects.filter(run_id__in=run_ids, provider_mode="live")
    sums = live.aggregate(count=Count("pk"), left=Sum(F("cap_usd") - F("cost_usd") - F("reserved_usd")))
    runs = "1 live run" if sums["count"] == 1 else f"{sums['count']} live runs"
    return f"{runs} may spend up to {money(max(sums['left'] or ZERO, ZERO))} more."
