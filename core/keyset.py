"""List pages that are as fast over a million rows as over ten.

A page is found by its edge, not by its number: `?after=` and `?before=` name the row that it begins behind, and an
index leads there. The rows are not counted; how many there may be, the planner says. Nobody can sort by a column, or
order something for more rows than the page shows.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest

from core.ledger import STYLESHEET, Ledger

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin

AFTER, BEFORE = "after", "before"
AT_ONCE = 1000  # rows that one order of an operator is for


class Keyset(_Admin):
    """A table whose list is in descending order of `keys`: the primary key, or a column and then the primary key.

    Filters and searches of such a list must be served by an index, or by the order itself.
    """

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": [STYLESHEET]}

    change_list_template = "admin/operators/keyset.html"
    keys: ClassVar[Sequence[str]] = ("pk",)
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = None
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER
    search_fields: ClassVar[tuple[str, ...]] = ("pk",)  # for the box to appear; `find` does the work

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type["KeysetList"]:
        """The paging."""
        return KeysetList

    def get_ordering(self, request: HttpRequest) -> list[str | Combinable]:
        """The newest first."""
        return [f"-{name}" for name in self.keys]

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:  # type: ignore[override]
        """For what was ticked; or for everything that the filters and the search leave, as far as `AT_ONCE`."""
        if "1" in request.POST.getlist("select_across"):
            queryset = queryset.filter(pk__in=list(queryset.values_list("pk", flat=True)[:AT_ONCE]))
        return super().response_action(request, queryset)

    def find(self, term: str) -> Q:
        """Which rows a search is for; `term` is not empty and has no space around it."""
        raise NotImplementedError

    def get_search_results(self, request: HttpRequest, rows: QuerySet[Any], term: str) -> tuple[QuerySet[Any], bool]:
        """By what the table finds with an index."""
        term = term.strip()
        return (rows.filter(self.find(term)) if term else rows), False


class KeysetLedger(Keyset, Ledger):  # type: ignore[misc]  # both have the same stylesheet
    """The same of a table that the engine owns."""


class KeysetList(ChangeList):
    """One page of rows, with the rows before and after it."""

    model_admin: Keyset
    edges: dict[str, str]
    at_once: int  # how many rows may be ordered for beyond the page; 0 where it shows all

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Everything that the filters leave; where the page begins is no filter."""
        self.edges = {name: request.GET[name] for name in (AFTER, BEFORE) if request.GET.get(name)}
        for name in (AFTER, BEFORE):
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return super().get_queryset(request, exclude_parameters)

    def get_results(self, request: HttpRequest) -> None:
        """The page, one row more than it shows to know whether that is all, and links to its neighbours."""
        with transaction.atomic(), connection.cursor() as cursor:
            # A plan that is good for the common word of a filter looks through the whole table for a rare one.
            cursor.execute("SET LOCAL plan_cache_mode = force_custom_plan")
            self._read()

    def _read(self) -> None:
        size = self.list_per_page
        is_back = BEFORE in self.edges
        edge = self._edge(self.edges.get(BEFORE) or self.edges.get(AFTER))
        rows = self.queryset if edge is None else self.queryset.filter(_beyond(edge, is_back=is_back))
        rows = rows.reverse() if is_back and edge is not None else rows
        # By themselves: the server would join everything that a filter leaves, and only then sort and cut it.
        keys = list(rows.values_list("pk", flat=True)[: size + 1])
        has_more, keys = len(keys) > size, keys[:size]
        if is_back and edge is not None:
            keys.reverse()
        found = self.queryset.filter(pk__in=keys)
        has_newer = edge is not None and (has_more if is_back else True)
        has_older = edge is not None if is_back else has_more
        self.result_list, self.result_count = found, len(found)
        self.newer_url = self._link(BEFORE, keys[0]) if has_newer and keys else ""
        self.older_url = self._link(AFTER, keys[-1]) if has_older and keys else ""
        self.first_url = self.get_query_string() if edge is not None else ""
        self.told = self._told(is_whole=edge is None and not has_more)
        self.at_once = AT_ONCE if self.older_url or self.newer_url else 0
        self.full_result_count = self.result_count  # else the page would show this one's rows as all results
        self.show_full_result_count = self.can_show_all = self.multi_page = False
        self.show_admin_actions = True

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str | Combinable]:
        """The table's own, whatever the address says."""
        return [*self.model_admin.get_ordering(request)]

    def _told(self, *, is_whole: bool) -> str:
        """`1 run`, or `50 of about 12,000 runs`."""
        shown, many = self.result_count, self.opts.verbose_name_plural
        if is_whole:
            return f"{shown} {self.opts.verbose_name if shown == 1 else many}"
        return f"{shown} of about {max(_estimate(self.queryset), shown + 1):,} {many}"

    def _edge(self, key: str | None) -> dict[str, Any] | None:
        """The ordering's columns of the row that the page begins behind; None where it has no place: the first page."""
        if not key or not key.isascii() or not key.isdigit() or len(key) > 18:
            return None
        edge = self.model._base_manager.filter(pk=key).values(*self.model_admin.keys).first()
        return edge if edge is not None and None not in edge.values() else None

    def _link(self, name: str, key: int) -> str:
        return str(self.get_query_string({name: key}))


def _beyond(edge: dict[str, Any], *, is_back: bool) -> Q:
    """What comes after the edge in descending order, or before it."""
    names = list(edge)
    side = "gt" if is_back else "lt"
    if len(names) == 1:
        return Q(**{f"{names[0]}__{side}": edge[names[0]]})
    first, second = names
    # The first condition is what an index is entered by.
    same = Q(**{first: edge[first], f"{second}__{side}": edge[second]})
    return Q(**{f"{first}__{side}e": edge[first]}) & (Q(**{f"{first}__{side}": edge[first]}) | same)


def _estimate(rows: QuerySet[Any]) -> int:
    """How many rows the planner expects; looks at none."""
    plan = json.loads(rows.order_by().values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])
