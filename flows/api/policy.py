"""Who may do what: the installing project's affair, in one class that the setting FLOWS_POLICY names."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string

from core.errors import Refused


class PolicyMissing(Refused):
    """Nobody has said who may come in."""

    code = "FLOWS_CLOSED"
    title = "Nobody may use flows here."
    status = 403
    remediation = "Name a class derived from flows.api.policy.Policy in the setting FLOWS_POLICY."


class Policy:
    """Each method returns for a caller who may, and raises a core.errors.Refused for one who may not.

    `request` is Django's own; its body has not been parsed. A project derives from this and names its class in the
    setting FLOWS_POLICY; without it everything is refused.
    """

    def may_read(self, request: HttpRequest) -> None:
        """Look at flows, events, runs and their output."""
        raise PolicyMissing

    def may_send(self, request: HttpRequest) -> None:
        """Dispatch and replay events, cancel and redrive runs."""
        raise PolicyMissing

    def may_work(self, request: HttpRequest) -> None:
        """Sync flows, claim runs and report on them."""
        raise PolicyMissing

    def watching(self, request: HttpRequest) -> AbstractContextManager[object]:
        """What a caller holds while they follow a run's output, asked for where they may read.

        It is entered on the event loop, which must not wait; entering it raises a core.errors.Refused for one who
        follows too much already.
        """
        return nullcontext()

    def who(self, request: HttpRequest) -> str:
        """What to call the caller where it is written down who canceled a run, at most 160 characters."""
        return ""


def policy() -> Policy:
    """The project's."""
    return _named(str(getattr(settings, "FLOWS_POLICY", "") or f"{__name__}.Policy"))


@cache
def _named(path: str) -> Policy:
    found: Policy = import_string(path)()
    return found
