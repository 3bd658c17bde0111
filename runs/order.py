"""What a caller asks for, from its words to a plan, and from a plan to a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.caller import Caller, CallerUnknown, Scope
from accounts.pricing import book
from accounts.vault.credentials import require
from accounts.vault.keeping import keep_for_request
from accounts.vault.sets import NONE, Sets
from providers import prices
from providers.registry import Configured
from runs import heralds, judges, uploads
from runs.engine.start import start_run
from runs.heralds import Callback
from runs.inputs import check_inputs, is_data, store_inputs
from runs.models import Run
from runs.queries import open_modes
from zaps import catalogue
from zaps.plan import make_plan
from zaps.planned import Plan, providers_of


class Mode(StrEnum):
    """How far an order goes."""

    PLAN = "plan"  #: say what would happen and cost; write nothing
    MOCK = "mock"  #: make the film with the free mock provider
    LIVE = "live"  #: spend money


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A recipe, by its slug or by its text, and what to do with it. `slug` and `source`: exactly one is set."""

    slug: str | None = None
    version: int | None = None  # of the slug; None is the newest
    source: str | None = field(default=None, repr=False)
    prompts: Mapping[str, str] = field(default_factory=dict, repr=False)
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    kept: Mapping[str, Any] = field(default_factory=dict, repr=False)  # an earlier run's inputs, in storage already
    mode: Mode = Mode.MOCK
    extend_count: int | None = None  # None: as often as the recipe says
    provider: str | None = None
    max_usd: Decimal | None = None
    sent: Sets = field(default=NONE, repr=False)  # keys that are for this run alone
    callback: Callback | None = None  # who is told of this run alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An order that can be carried out: its plan, and the text that it was made from."""

    plan: Plan
    source: str = field(repr=False)
    prompts: Mapping[str, str] = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)  # what a branch of the run is to be ordered with, too
    sent: Sets = field(default=NONE, repr=False)
    callback: Callback | None = None


def admit(mode: Mode, caller: Caller) -> None:
    """Raises CallerUnknown (401) or CallerRefused (403) unless the caller may place orders of that mode."""
    if not caller.is_known:
        if mode not in open_modes():
            raise CallerUnknown
        return
    caller.require(Scope.LIVE if mode is Mode.LIVE else Scope.RUN)


def draft(order: Order, caller: Caller, *, today: date) -> Draft:
    """Plan the order. Writes nothing.

    Raises NotFound for a slug that the caller may not see, BadInput for everything that is wrong with the recipe or the
    inputs, OverBudget when the quote is above the cap, and, for a live run, KeyMissing.
    """
    if order.callback is not None:
        heralds.herald().check(order.callback, caller)
    check_inputs(order.inputs)
    inputs = {**order.kept, **uploads.resolve(order.inputs, caller)}
    if order.source is not None:
        version, source, prompts = 0, order.source, order.prompts
        recipe = catalogue.parse_cached(source, prompts)
    else:
        found = catalogue.find(order.slug or "", caller.user, version=order.version)
        version, source, prompts = found.version, found.source, found.prompts
        recipe = found.recipe
    plan = make_plan(
        recipe,
        inputs=inputs,
        mode=order.mode,
        extend_count=order.extend_count,
        provider=settings.ZAP_PROVIDER or order.provider,
        max_usd=order.max_usd,
        judge_usd=judges.quote_usd("live"),  # what the mock plans is free anyway
        gate_timeout_s=settings.ZAP_GATE_TIMEOUT_S or None,
        providers=Configured(),
        prices=prices.load() if order.mode is Mode.MOCK else book.current(),  # the mock is free
        today=today,
    )
    if order.mode is Mode.LIVE:
        require(providers_of(plan.steps), owner_id=caller.user.pk if caller.user else None, sent=order.sent)
    options = {"extendCount": order.extend_count, "provider": order.provider}
    return Draft(
        plan=replace(plan, version=version), source=source, prompts=prompts, options=options, sent=order.sent,
        callback=order.callback,
    )  # fmt: skip


def keep_media(drafted: Draft) -> Draft:
    """The draft with the media that came in its inputs put into storage."""
    inputs = drafted.plan.inputs
    carried = {name: value for name, value in inputs.items() if is_data(value)}
    return replace(drafted, plan=replace(drafted.plan, inputs={**inputs, **store_inputs(carried)}))


def place(drafted: Draft, caller: Caller, *, parent: Run | None = None) -> Run:
    """Start the run of a mock or live draft whose media are in storage, as a branch of `parent` where there is one.

    Keys that were sent along are kept for it alone, and its webhook, where it has one, is told of it.
    Raises OverBudget where its owner's or the day's budget is used up.
    """
    brings_keys = drafted.plan.mode == Mode.LIVE and drafted.sent.by_provider
    if caller.user is None or not (brings_keys or drafted.callback):
        return _start(drafted, caller, parent)
    with transaction.atomic():
        run = _start(drafted, caller, parent)
        if brings_keys:
            keep_for_request(drafted.sent, request_ref=run.run_id, owner_id=caller.user.pk, by=caller.principal_id)
        if drafted.callback is not None:
            heralds.herald().follow(run, drafted.callback, caller)
    return run


def _start(drafted: Draft, caller: Caller, parent: Run | None) -> Run:
    return start_run(
        plan=drafted.plan,
        source=drafted.source,
        prompts=drafted.prompts,
        inputs=drafted.plan.inputs,
        mode=drafted.plan.mode,
        owner=caller.user,
        principal_id=caller.principal_id,
        session_id=caller.session_id,
        options=drafted.options,
        parent=parent,
    )
