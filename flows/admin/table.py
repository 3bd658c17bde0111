"""What all lists of flows have in common. They need no other app's files, so that flows can be installed alone."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest

from core.errors import ZapsError
from core.keyset import KeysetLedger


class Table(KeysetLedger):
    """A list with actions, each row of which is tried for itself: one refusal stops no other."""

    change_list_template = "admin/flows/keyset.html"

    class Media:
        extend: ClassVar[list[str]] = ["js"]
        css: ClassVar[dict[str, list[str]]] = {"all": ["flows/admin.css"]}

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Who may change rows of this kind at all."""
        return request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}")

    def each(
        self, request: HttpRequest, rows: Iterable[Model], act: Callable[[Any], str], done: Callable[[str], str]
    ) -> None:
        """Do `act` with every row, note it in the log, and tell what came of it: `done` of what `act` answered."""
        for row in rows:
            name = f"{self.opts.verbose_name} {row}"  # messages are shown with a capital letter, and ids have none
            try:
                told = done(act(row))
            except ZapsError as exc:
                self.message_user(request, f"{name}: {exc.code}: {exc.detail}", messages.ERROR)
            else:
                self.log_change(request, row, told)
                self.message_user(request, f"{name}: {told}", messages.SUCCESS)


def actor(request: HttpRequest) -> str:
    """Who pressed, for the rows that say who."""
    return f"user:{request.user.pk}"
