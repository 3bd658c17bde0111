"""What the page of one run shows, read in a fixed number of queries however many steps it has."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.utils.safestring import SafeString

from core.ledger import EMPTY, badge, list_link, money, row_link, size, span, took
from runs.admin.outcomes import play, shape_of
from runs.admin.words import waits
from runs.faults import Fault, explain
from runs.models import Asset, Attempt, Feedback, Run, RunEvent, Step
from runs.states import RUN_FINAL
from zaps.models import Zap

_EVENTS = 300  # of a longer story the newest; the rest is a link away


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetCard:
    """One file."""

    element: SafeString | str
    link: SafeString | str
    facts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """One try."""

    link: SafeString | str
    badge: SafeString | str
    provider: str
    request_id: str
    looks: str
    cost: str
    took: str
    next_look: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCard:
    """One step with what was tried and what was made."""

    step: Step
    link: SafeString | str
    badge: SafeString | str
    parents: str
    why: str
    fault: Fault | None
    cost: str
    took: str
    attempts: list[AttemptRow]
    assets: list[AssetCard]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """One thing that happened, `after` the run began."""

    event: RunEvent
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPicture:
    """The whole page."""

    run: Run
    badge: SafeString | str
    why: str
    fault: Fault | None
    recipe: SafeString | str
    asked_by: str
    cost: str
    took: str
    done: int
    film: AssetCard | None
    steps: list[StepCard]
    votes: list[Feedback]
    events: list[EventRow]
    more_events: SafeString | str

    @property
    def is_open(self) -> bool:
        """Whether it may still change."""
        return self.run.status not in RUN_FINAL


def picture_of(run: Run) -> RunPicture:
    """Six queries: steps, attempts, assets, feedback, events, recipe."""
    steps = list(Step.objects.filter(run=run).defer("spec").order_by("position"))
    attempts: dict[int, list[Attempt]] = defaultdict(list)
    for attempt in Attempt.objects.filter(run=run).defer("urls", "logs").order_by("number"):
        attempts[attempt.step_id].append(attempt)
    files = list(Asset.objects.filter(run=run).order_by("index", "pk"))
    assets: dict[int, list[Asset]] = defaultdict(list)
    for asset in files:
        assets[asset.step_id].append(asset)
    events = list(RunEvent.objects.filter(run=run).order_by("-seq")[:_EVENTS])[::-1]
    film = next((asset for asset in files if run.zap_url and asset.url == run.zap_url), None)
    done = {step.step_id for step in steps if step.status == "done"}
    zap = Zap.objects.filter(slug=run.zap_slug).only("pk", "slug").first()
    return RunPicture(
        run=run,
        badge=badge(run.status),
        why=waits(run),
        fault=explain(run.error) if run.error else None,
        recipe=row_link(zap) if zap is not None else run.zap_slug,
        asked_by=run.owner.get_username() if run.owner else run.principal_id or EMPTY,
        cost=f"{money(run.cost_usd)} of {money(run.cap_usd)}",
        took=took(run.started_at, run.finished_at),
        done=len(done),
        film=_asset_card(film) if film is not None else None,
        steps=[_step_card(step, attempts[step.pk], assets[step.pk], done) for step in steps],
        votes=list(Feedback.objects.filter(run=run).select_related("step", "asset").defer("step__spec").order_by("pk")),
        events=[EventRow(event=event, after=_after(event.happened_at - run.started_at)) for event in events],
        more_events=list_link("runs_runevent", "earlier events", run__id__exact=run.pk)
        if len(events) == _EVENTS
        else "",
    )


def _step_card(step: Step, attempts: list[Attempt], assets: list[Asset], done: set[str]) -> StepCard:
    return StepCard(
        step=step,
        link=row_link(step, step.step_id),
        badge=badge(step.status),
        parents=", ".join(step.parents),
        why=waits(step, done=done),
        fault=explain(step.error) if step.error else None,
        cost=money(step.actual_usd) if step.actual_usd is not None else f"≤ {money(step.price_quote_usd)}",
        took=took(step.started_at, step.finished_at),
        attempts=[_attempt_row(attempt) for attempt in attempts],
        assets=[_asset_card(asset) for asset in assets],
    )


def _attempt_row(attempt: Attempt) -> AttemptRow:
    return AttemptRow(
        link=row_link(attempt, f"#{attempt.number}"),
        badge=badge(attempt.status),
        provider=" · ".join(part for part in (attempt.provider, attempt.model) if part),
        request_id=attempt.provider_request_id,
        looks=_times(attempt.polls),
        cost=money(attempt.actual_usd) if attempt.actual_usd is not None else f"≤ {money(attempt.quote_usd)}",
        took=took(attempt.created_at, attempt.finished_at),
        next_look=f"{attempt.due_at:%H:%M:%S}" if attempt.due_at is not None else "",
        error=attempt.error,
    )


def _times(polls: int) -> str:
    return {0: EMPTY, 1: "once"}.get(polls, f"{polls} times")


def _asset_card(asset: Asset) -> AssetCard:
    facts = " · ".join(part for part in (asset.content_type, shape_of(asset), size(asset.size_bytes)) if part != EMPTY)
    return AssetCard(element=play(asset), link=row_link(asset), facts=facts)


def _after(duration: timedelta) -> str:
    return f"+ {span(duration)}"
