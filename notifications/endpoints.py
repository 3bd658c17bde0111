"""An owner's receivers of webhooks. The one rule: a secret is shown when it is made, and never again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.caller import Caller, Scope
from accounts.vault.cipher import Place, seal, unseal
from core.errors import BadInput, Conflict, NotFound, Problem
from core.ids import new_id
from notifications import outbox, policy
from notifications.events import EVENTS
from notifications.models import Endpoint
from notifications.signing import is_secret, new_secret
from providers import guard
from providers.errors import AddressRefused
from providers.home import Home
from runs.heralds import Callback
from runs.models import Run


class TooManyEndpoints(Conflict):
    """An owner has as many as one may have."""

    code = "WEBHOOKS_TOO_MANY"
    title = f"There are {policy.MOST_ENDPOINTS} webhook endpoints already."
    remediation = "Delete one, or have one of them tell the others."


def endpoints_of(caller: Caller, *, run_id: str = "") -> QuerySet[Endpoint]:
    """The caller's own, or those of one run of theirs; of staff everybody's. Raises CallerUnknown, CallerRefused."""
    seen = _seen_by(caller)
    return seen.filter(run__run_id=run_id) if run_id else seen.filter(run=None)


def get_endpoint(hook_id: str, caller: Caller, *, scope: Scope = Scope.READ) -> Endpoint:
    """One that the caller may see. Raises CallerUnknown, CallerRefused, NotFound."""
    caller.require(scope)
    endpoint = _seen_by(caller).select_related("run").filter(hook_id=hook_id).first()
    if endpoint is None:
        raise NotFound(f"There is no webhook endpoint {hook_id!r}.")
    return endpoint


def require_reachable(url: str, *, path: str = "url") -> None:
    """Raises BadInput for an address that nothing is sent to: only https, port 443, and public names may be told.

    `path` is where it stands in the request.
    What the name resolves to is judged anew each time that something is sent.
    """
    try:
        place = guard.read(url)
    except AddressRefused:
        raise _bad_url(path) from None
    is_named = place.origin in Home.named_by_operator(*settings.ZAP_WEBHOOK_ORIGINS).named
    if not (is_named or place.is_public):
        raise _bad_url(path)


@transaction.atomic
def add(caller: Caller, *, url: str, events: Sequence[str] = (), description: str = "") -> tuple[Endpoint, str]:
    """A new one of the caller's, and its secret. No events: all.

    Raises CallerUnknown, CallerRefused, BadInput, TooManyEndpoints and VaultClosed.
    """
    caller.require(Scope.RUN)
    require_reachable(url)
    owner = User.objects.select_for_update(no_key=True).get(pk=caller.known_user.pk)  # so that two at once are counted
    if Endpoint.objects.filter(owner=owner, run=None).count() >= policy.MOST_ENDPOINTS:
        raise TooManyEndpoints
    plain = new_secret()
    return _store(owner, url=url, events=events, description=description, secret=plain, run=None), plain


def check_callback(callback: Callback, caller: Caller) -> None:
    """Raises CallerUnknown and BadInput where a run's own webhook cannot be promised."""
    caller.require(Scope.RUN if Scope.RUN in caller.scopes else Scope.LIVE)
    require_reachable(callback.url, path="webhook.url")
    if not is_secret(callback.secret):
        sentence = "A secret for webhooks is whsec_ and 24 to 64 random bytes as base64."
        problem = Problem(code="WEBHOOK_SECRET_INVALID", message=sentence, path="webhook.secret")
        raise BadInput(sentence, problems=[problem])


def follow(run: Run, callback: Callback, owner: User) -> None:
    """Tell that address of this run. For inside the transaction that makes the run. Raises VaultClosed."""
    _store(owner, url=callback.url, events=callback.events, description="", secret=callback.secret, run=run)


@transaction.atomic
def change(endpoint: Endpoint, changes: dict[str, Any]) -> None:
    """Write what is given of url, events, description and is_on; what was turned on begins anew. Raises BadInput."""
    if "url" in changes:
        require_reachable(changes["url"])
    if changes.get("is_on") is False:
        outbox.turn_off(endpoint.pk, "owner")
        changes.pop("is_on")
    elif changes.get("is_on"):
        changes |= {"off_reason": "", "failures": 0, "failing_since": None, "rest_until": None}
    if changes.get("events") == []:
        changes["events"] = sorted(EVENTS)
    if changes:
        Endpoint.objects.filter(pk=endpoint.pk).update(**changes)
    endpoint.refresh_from_db()


def rotate(endpoint: Endpoint) -> str:
    """A new secret, which is returned; the old one signs beside it for a day. Raises VaultClosed."""
    plain = new_secret()
    Endpoint.objects.filter(pk=endpoint.pk).update(
        secret=seal(plain, _place(endpoint)),
        old_secret=endpoint.secret,
        old_until=Now() + policy.OVERLAP,
        rotated_at=Now(),
    )
    endpoint.refresh_from_db()
    return plain


def secrets_of(endpoint: Endpoint, *, at: datetime) -> list[str]:
    """What signs for it at that moment, the newest first. Raises SecretUnreadable and VaultClosed."""
    sealed = [endpoint.secret]
    if endpoint.old_until is not None and at < endpoint.old_until:
        sealed.append(endpoint.old_secret)
    return [unseal(one, _place(endpoint)) for one in sealed]


def seal_again(endpoint: Endpoint) -> bool:
    """Encrypt its secrets with the newest key. False where somebody changed them meanwhile. Raises SecretUnreadable."""
    place = _place(endpoint)
    fresh = {
        name: seal(unseal(sealed, place), place)
        for name in ("secret", "old_secret")
        if (sealed := getattr(endpoint, name))
    }
    same = Endpoint.objects.filter(pk=endpoint.pk, secret=endpoint.secret, old_secret=endpoint.old_secret)
    return same.update(**fresh) == 1


def _store(owner: User, *, url: str, events: Iterable[str], description: str, secret: str, run: Run | None) -> Endpoint:
    endpoint = Endpoint(
        hook_id=new_id("hook"), owner=owner, run=run, url=url, description=description,
        events=sorted(set(events) or EVENTS),
    )  # fmt: skip
    endpoint.secret = seal(secret, _place(endpoint))
    endpoint.save()
    return endpoint


def _place(endpoint: Endpoint) -> Place:
    return Place(owner_id=endpoint.owner_id, provider="webhooks", name=endpoint.hook_id)


def _seen_by(caller: Caller) -> QuerySet[Endpoint]:
    caller.require(Scope.READ)
    rows = Endpoint.objects.all()
    return rows if caller.is_staff else rows.filter(owner=caller.known_user)


def _bad_url(path: str) -> BadInput:
    sentence = "A webhook goes over https, port 443, to a public name."
    return BadInput(sentence, problems=[Problem(code="WEBHOOK_URL_REFUSED", message=sentence, path=path)])
