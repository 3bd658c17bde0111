"""Reads that more than one door needs: which runs a caller sees, and a run as one consistent picture."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from accounts.caller import Caller, CallerUnknown
from core.errors import NotFound, Refused
from core.money import ZERO
from runs.models import Asset, Attempt, Feedback, Run, Step


class RunDeleted(Refused):
    """It was there, and was deleted."""

    code = "RUN_DELETED"
    title = "This run was deleted."
    status = 410
    remediation = "There is nothing left of it but what it cost: `GET /api/usage`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A run and everything that belongs to it, at one moment. Steps in recipe order, the rest oldest first."""

    run: Run
    steps: list[Step]
    attempts: list[Attempt]
    assets: list[Asset]
    feedback: list[Feedback]

    @property
    def remaining_usd(self) -> Decimal:
        """What of the cap is neither spent nor held for something at work."""
        return max(self.run.cap_usd - self.run.cost_usd - self.run.reserved_usd, ZERO)


def open_modes() -> frozenset[str]:
    """What callers whom we do not know may do: some of plan and mock, never live."""
    return frozenset(settings.ZAP_OPEN_MODES) & {"plan", "mock"}


def may_read(run: Run, caller: Caller) -> bool:
    """Its owner, staff, and whoever was given a read token may; a run without an owner, as `_is_open` says."""
    return sees_secrets(run, caller) or caller.shared_run == run.run_id or _is_open(run)


def may_change(run: Run, caller: Caller) -> bool:
    """Its owner and staff may; a run without an owner only the session that made it, if one did."""
    return sees_secrets(run, caller) or (_is_open(run) and run.session_id in ("", caller.session_id))


def sees_secrets(run: Run, caller: Caller) -> bool:
    """Whether the caller is its owner or staff, and is shown providers' request ids, idempotency and storage keys."""
    return caller.is_staff or (caller.user is not None and run.owner_id == caller.user.pk)


def _is_open(run: Run) -> bool:
    """A run without an owner is open to whoever holds its id, while the mock is open."""
    return run.owner_id is None and "mock" in open_modes()


def runs_of(caller: Caller) -> QuerySet[Run]:
    """The runs that a list shows: staff all, others their own. Raises CallerUnknown for a caller without a session."""
    return every_run_of(caller).filter(deleted_at=None)


def every_run_of(caller: Caller) -> QuerySet[Run]:
    """The same with the deleted ones, whose numbers still count."""
    runs = _runs()
    if caller.is_staff:
        return runs
    if caller.user is not None:
        return runs.filter(owner_id=caller.user.pk)
    if not caller.session_id or "mock" not in open_modes():
        raise CallerUnknown
    return runs.filter(owner=None, session_id=caller.session_id)


def _runs() -> QuerySet[Run]:
    """Without their recipes, and with the name of the run that each branched off."""
    return Run.objects.defer("source", "prompts").annotate(parent_run_id=F("parent__run_id"))


def get_run(run_id: str, caller: Caller) -> Run:
    """The run, without its recipe. Raises NotFound when there is none that the caller may see; RunDeleted."""
    run = _runs().filter(run_id=run_id).first()
    if run is None or not may_read(run, caller):
        raise NotFound(f"There is no run {run_id!r}.")
    require_there(run)
    return run


def require_there(run: Run) -> None:
    """Raises RunDeleted."""
    if run.deleted_at is not None:
        raise RunDeleted(f"The run {run.run_id} was deleted.")


def glance(run_id: str, caller: Caller) -> Run:
    """How far the run is and whose it is, and nothing else: one read by an index. Raises NotFound as `get_run`."""
    run = Run.objects.only("run_id", "owner_id", "session_id", "revision").filter(run_id=run_id).first()
    if run is None or not may_read(run, caller):
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def get_asset(asset_id: str, caller: Caller) -> Asset:
    """The asset, with its run. Raises NotFound when there is none that the caller may see."""
    assets = Asset.objects.select_related("run").defer("run__source", "run__prompts")
    asset = assets.filter(asset_id=asset_id).first()
    if asset is None or not may_read(asset.run, caller):
        raise NotFound(f"There is no asset {asset_id!r}.")
    require_there(asset.run)
    return asset


def get_picture(run_id: str, caller: Caller) -> Picture:
    """The run with everything that belongs to it, all of the same moment. Raises NotFound."""
    with transaction.atomic():
        _freeze()
        return _paint(get_run(run_id, caller))


def read_picture(run_id: str) -> Picture:
    """The same for a caller who was let in before. Raises NotFound when the run is gone."""
    with transaction.atomic():
        _freeze()
        run = _runs().filter(run_id=run_id).first()
        if run is None or run.deleted_at is not None:
            raise NotFound(f"There is no run {run_id!r}.")
        return _paint(run)


def _paint(run: Run) -> Picture:
    votes = Feedback.objects.filter(run=run).annotate(step_name=F("step__step_id"), asset_name=F("asset__asset_id"))
    return Picture(
        run=run,
        steps=list(Step.objects.filter(run=run).order_by("position")),
        attempts=list(Attempt.objects.filter(run=run).order_by("pk")),
        assets=list(Asset.objects.filter(run=run).order_by("pk")),
        feedback=list(votes.order_by("pk")),
    )


def ended_a_day_ago(run_ids: Iterable[str]) -> list[str]:
    """Those of the runs that nobody will take up again soon."""
    over = Run.objects.filter(run_id__in=list(run_ids), finished_at__lt=Now() - timedelta(days=1))
    return list(over.values_list("run_id", flat=True))


def revisions(run_ids: Iterable[str]) -> dict[str, int]:
    """The newest revision of each of those runs."""
    return dict(Run.objects.filter(run_id__in=list(run_ids)).values_list("run_id", "revision"))


def _freeze() -> None:
    """Let every read of this transaction see one moment. Inside a caller's transaction that is the caller's choice."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
