"""Flows as they were last synced, and letting events start them or not."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.ledger import badge, json_block, moment
from flows import manifests
from flows.admin.table import Table
from flows.models import FlowManifest

_IS_OFF, _IS_GONE = Q(disabled_at__isnull=False), Q(deleted_at__isnull=False)
_STATES = {"live": ~_IS_OFF & ~_IS_GONE, "disabled": _IS_OFF & ~_IS_GONE, "deleted": _IS_GONE}


class StateFilter(admin.SimpleListFilter):
    """By whether events start its steps."""

    title = parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The three there are."""
        return [(word, word) for word in _STATES]

    def queryset(self, request: HttpRequest, flows: Any) -> Any:
        """Those in the state that was chosen; all where none was."""
        return flows.filter(_STATES.get(self.value() or "", Q()))


@admin.register(FlowManifest)
class FlowManifestAdmin(Table):
    """One row a name."""

    list_display = ("name", "version", "revision", "state", "step_names", "synced")
    list_filter = (StateFilter,)
    list_defer = ("config",)
    search_help_text = "Name, in full"
    fields = (("name", "state"), ("version", "revision"), "description", "root", "its_config", "its_steps", "synced")
    readonly_fields = ("state", "its_config", "its_steps", "synced")
    actions = ["disable_selected", "enable_selected"]

    def find(self, term: str) -> Q:
        """By its name."""
        return Q(name=term)

    @admin.display(description="state")
    def state(self, flow: FlowManifest) -> SafeString | str:
        """Whether events start its steps."""
        return badge("deleted" if flow.deleted_at else "disabled" if flow.disabled_at else "live")

    @admin.display(description="steps")
    def step_names(self, flow: FlowManifest) -> str:
        """By name, in order."""
        return ", ".join(str(step["name"]) for step in flow.steps)

    @admin.display(description="configuration")
    def its_config(self, flow: FlowManifest) -> SafeString | str:
        """As its author wrote it."""
        return json_block(flow.config)

    @admin.display(description="steps")
    def its_steps(self, flow: FlowManifest) -> SafeString | str:
        """As their author wrote them."""
        return json_block(flow.steps)

    @admin.display(description="synced")
    def synced(self, flow: FlowManifest) -> str:
        """When a worker last told of it."""
        return moment(flow.synced_at)

    @admin.action(description="Disable selected flows", permissions=["act"])
    def disable_selected(self, request: HttpRequest, flows: QuerySet[FlowManifest]) -> None:
        """Events start nothing of theirs; runs that there are go on."""
        self._turn(request, flows, is_off=True)

    @admin.action(description="Enable selected flows", permissions=["act"])
    def enable_selected(self, request: HttpRequest, flows: QuerySet[FlowManifest]) -> None:
        """Events start their steps again."""
        self._turn(request, flows, is_off=False)

    def _turn(self, request: HttpRequest, flows: QuerySet[FlowManifest], *, is_off: bool) -> None:
        told = "Disabled: events start nothing of it." if is_off else "Enabled: events start its steps."
        self.each(request, flows, lambda flow: str(manifests.set_disabled(flow.name, is_off)), lambda _: told)
