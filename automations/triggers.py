"""Triggers: an address that starts a recipe for whoever knows it, below caps and with the inputs that its owner allows.

The token holds the trigger's id and forty characters that nobody can guess; only a digest of the whole is kept. An
unknown, a revoked and a rotated token are told alike.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts import rates
from accounts.caller import Caller
from accounts.tokens import digest_of, new_secret
from automations import begin, media
from automations.begin import Room
from automations.models import Firing, Trigger
from automations.whose import caller_for, find_to_stop, require_giver
from core.errors import BadInput, NotFound, Problem, Refused
from core.ids import new_id
from runs import uploads
from runs.inputs import check_inputs, keys_of, store_inputs
from runs.models import Run
from runs.order import Draft, Mode, admit, keep_media
from zaps import catalogue

_ID_LENGTH = len("trigger_") + 16


class TriggerBusy(Refused):
    """It was called more often than its owner allows."""

    code = "TRIGGER_BUSY"
    title = "This trigger was called too often."
    status = 429
    retryable = True
    remediation = "Call again when Retry-After says."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A trigger as somebody wants it: `inputs` are fixed, those `allowed` a caller may give."""

    name: str = ""
    slug: str
    version: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    allowed: tuple[str, ...] = ()
    mode: Mode = Mode.MOCK
    per_minute: int = 10
    run_cap_usd: Decimal | None = None
    day_cap_usd: Decimal | None = None


def make_trigger(wish: Wish, caller: Caller) -> tuple[Trigger, str]:
    """A new trigger, and its token, which is not shown again. Raises BadInput and NotFound."""
    admit(wish.mode, caller)
    _check(wish, caller)
    trigger_id = new_id("trigger")
    plain = f"{trigger_id}_{new_secret()}"
    inputs = {**uploads.resolve(wish.inputs, caller), **_stored(wish.inputs)}
    with transaction.atomic():
        uploads.use(inputs)
        trigger = Trigger.objects.create(
            trigger_id=trigger_id,
            owner=caller.known_user,
            made_by=caller.principal_id,
            digest=digest_of(plain),
            name=wish.name,
            slug=wish.slug,
            version=wish.version,
            inputs=inputs,
            media=sorted(keys_of(inputs)),
            allowed=sorted(wish.allowed),
            mode=str(wish.mode),
            per_minute=wish.per_minute,
            run_cap_usd=wish.run_cap_usd,
            day_cap_usd=wish.day_cap_usd,
        )
    return trigger, plain


def _stored(inputs: Mapping[str, Any]) -> dict[str, Any]:
    carried = check_inputs(inputs)
    return {name: value for name, value in store_inputs(inputs).items() if name in carried}


def _check(wish: Wish, caller: Caller) -> None:
    """What can be told before anybody calls: the names of the inputs, and the caps."""
    found = catalogue.find(wish.slug, caller.user, version=wish.version)
    declared = found.recipe.inputs
    problems = [
        Problem(code="INPUT_UNKNOWN", message=f"The recipe has no input {name[:80]!r}.", path=f"{where}.{name[:80]}")
        for where, names in (("inputs", wish.inputs), ("allowedInputs", wish.allowed))
        for name in names
        if name not in declared
    ]
    both = sorted(set(wish.inputs) & set(wish.allowed))
    problems += [
        Problem(code="INPUT_TWICE", message=f"{name} is either fixed or allowed.", path=f"allowedInputs.{name}")
        for name in both
    ]
    problems += [
        Problem(
            code="INPUT_MISSING",
            message=f"{name} is required: fix it in inputs, or name it in allowedInputs.",
            path=f"inputs.{name}",
        )
        for name, spec in declared.items()
        if spec.required and name not in wish.inputs and name not in wish.allowed
    ]
    if wish.mode is Mode.LIVE and (wish.run_cap_usd is None or wish.day_cap_usd is None):
        path = "maxUsd" if wish.run_cap_usd is None else "maxUsdPerDay"
        sentence = "What spends money without a person needs maxUsd, for a run, and maxUsdPerDay."
        problems.append(Problem(code="CAP_MISSING", message=sentence, path=path))
    if problems:
        raise BadInput(problems[0].message, problems=problems)


def rotate_trigger(trigger_id: str, caller: Caller, *, at: datetime) -> tuple[Trigger, str]:
    """A new token for the same trigger; the old one opens nothing any more. Raises NotFound and CallerRefused."""
    with transaction.atomic():
        trigger = find_to_stop(_live().select_for_update(), caller, trigger_id=trigger_id)
        require_giver(trigger, caller)
        plain = f"{trigger_id}_{new_secret()}"
        trigger.digest, trigger.rotated_at, trigger.made_by = digest_of(plain), at, caller.principal_id
        trigger.save()
    return trigger, plain


def revoke_trigger(trigger_id: str, caller: Caller, *, at: datetime) -> None:
    """It opens nothing any more, and forgets what it was given. Revoking twice is the same as once."""
    with transaction.atomic():
        trigger = find_to_stop(Trigger.objects.select_for_update(of=("self",)), caller, trigger_id=trigger_id)
        if trigger.revoked_at is None:
            revoke(trigger, at=at)


def revoke(trigger: Trigger, *, at: datetime) -> None:
    """The locked row."""
    named = trigger.media
    trigger.revoked_at, trigger.inputs, trigger.media = at, {}, []
    trigger.save()
    media.release([named], of=trigger.trigger_id)


def open_trigger(token: str) -> Trigger:
    """The live trigger that this token opens, with its owner. Raises NotFound, and TriggerBusy, which is counted."""
    trigger = _live().select_related("owner").filter(trigger_id=token[:_ID_LENGTH]).first()
    if not hmac.compare_digest(trigger.digest if trigger is not None else "", digest_of(token)) or trigger is None:
        raise NotFound("There is no such trigger.")
    wait_s = rates.wait_s(f"trigger:{trigger.pk}", per_minute=trigger.per_minute)
    if wait_s:
        raise TriggerBusy(retryAfterS=wait_s)
    return trigger


def caller_of(trigger: Trigger) -> Caller:
    """In whose name it runs. Raises RightLost."""
    return caller_for(trigger, principal_id=f"trigger:{trigger.trigger_id}")


def prepare(trigger: Trigger, given: Mapping[str, Any], caller: Caller, *, at: datetime) -> Draft:
    """What its run would be, with what is `given` in storage. Raises BadInput for an input that is not allowed."""
    problems = [
        Problem(code="INPUT_NOT_ALLOWED", message=f"{name[:80]!r} is not given here.", path=f"inputs.{name[:80]}")
        for name in given
        if name not in trigger.allowed
    ]
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return keep_media(begin.plan(trigger, caller, given=given, kept=trigger.inputs, at=at))


def fire(trigger: Trigger, drafted: Draft, caller: Caller, *, at: datetime) -> Run:
    """Make the run. Raises NotFound where it was revoked meanwhile, and OverBudget where there is no money."""
    with transaction.atomic():
        held = _live().select_for_update().filter(pk=trigger.pk, digest=trigger.digest).first()
        if held is None:
            raise NotFound("There is no such trigger.")
        firing = Firing(trigger=held, due_at=at)
        room = Room.of_day(Firing.objects.filter(trigger=held), held.day_cap_usd, at=at)
        run = begin.begin(firing, drafted, caller, room=room, at=at)
        firing.save()
        Trigger.objects.filter(pk=held.pk).update(last_used_at=at)
    return run


def _live() -> QuerySet[Trigger]:
    return Trigger.objects.filter(revoked_at=None)
