"""What runs, and all that belongs to them, are of an account that leaves."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q
from django.db.models.functions import Now

from accounts.leaving import WORKS, Part
from accounts.models import Departure
from core.errors import Conflict
from runs.control import cancel_run
from runs.deletion import files
from runs.deletion.erase import delete_run
from runs.models import Allowance, Asset, Attempt, DirectUpload, Feedback, LedgerEntry, Run, Step, Upload
from runs.states import ATTEMPT_FINAL, RUN_FINAL

_AT_ONCE = 50
_CHUNK = 500


def remove(user_pk: int) -> Sequence[str]:
    """Cancel what runs, delete what has ended, and then everything that was sent for it."""
    actor = f"departure:{user_pk}"
    there = Run.objects.filter(owner_id=user_pk, deleted_at=None)
    for run_id in _ids(there.exclude(status__in=RUN_FINAL)):
        _do(cancel_run, run_id, actor)
    live = Attempt.objects.filter(run__owner_id=user_pk, run__deleted_at=None).exclude(status__in=ATTEMPT_FINAL)
    busy = set(live.values_list("run_id", flat=True))
    for run_id in _ids(there.filter(status__in=RUN_FINAL).exclude(pk__in=busy)):
        _do(delete_run, run_id, actor)
    if waits := _waits(there.count(), len(busy)):
        return waits
    _forget_words(user_pk)
    _forget_files(user_pk)
    Allowance.objects.filter(owner_id=user_pk).delete()
    return ()


def export(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Runs with their recipes and inputs, steps, attempts, assets, what was said, and the money."""
    mine = Q(run__owner_id=user_pk, run__deleted_at=None)
    return {
        "runs": _rows(
            Run.objects.filter(owner_id=user_pk),
            "run_id zap_slug zap_version source prompts inputs options provider_mode status error quote_usd cap_usd "
            "cost_usd started_at finished_at is_kept deleted_at",
        ),
        "steps": _rows(
            Step.objects.filter(mine), "run__run_id step_id kind provider model spec status error actual_usd"
        ),
        "attempts": _rows(
            Attempt.objects.filter(mine),
            "run__run_id step__step_id number role status provider model seed logs error actual_usd created_at",
        ),
        "assets": (_asset(asset) for asset in Asset.objects.filter(mine).select_related("run").iterator(_CHUNK)),
        "feedback": _rows(
            Feedback.objects.filter(mine), "run__run_id step__step_id kind rater scores comment created_at"
        ),
        "uploads": _rows(
            Upload.objects.filter(owner_id=user_pk, discarded_at=None),
            "upload_id content_type size_bytes sha256 created_at expires_at used_at",
        ),
        "ledger": _rows(
            LedgerEntry.objects.filter(owner_id=user_pk), "at kind usd source day run_id step_id provider model"
        ),
    }


def _do(verb: Any, run_id: str, actor: str) -> None:
    try:
        verb(run_id, actor=actor)
    except Conflict:  # it ended, or was reopened, at this moment; the next look finds it again
        return


def _ids(runs: Any) -> list[str]:
    return list(runs.order_by("pk").values_list("run_id", flat=True)[:_AT_ONCE])


def _waits(left: int, busy: int) -> list[str]:
    if busy:
        runs = "1 run has" if busy == 1 else f"{busy} runs have"
        return [f"{runs} jobs at a provider that are not known to have ended; what they cost is booked first."]
    if left:
        return [f"{left} runs are still to be deleted." if left > 1 else "1 run is still to be deleted."]
    return []


def _forget_words(user_pk: int) -> None:
    """What the person said of runs of others."""
    principals = Departure.objects.values_list("principals", flat=True).get(user_id=user_pk)
    Feedback.objects.filter(principal_id__in=principals).exclude(comment="").update(comment="")


def _forget_files(user_pk: int) -> None:
    """Uploads that no run used, and what arrived in the bucket and was never completed."""
    uploads = Upload.objects.filter(owner_id=user_pk)
    uploads.update(used_at=None, discarded_at=Now())
    files.doom(list(uploads.values_list("storage_key", flat=True)), of=f"user:{user_pk}")
    for waiting in DirectUpload.objects.filter(owner_id=user_pk).iterator(_CHUNK):
        default_storage.delete(waiting.storage_key)
        waiting.delete()


def _rows(rows: Any, columns: str) -> Iterable[Mapping[str, Any]]:
    found: Iterable[Mapping[str, Any]] = rows.order_by("pk").values(*columns.split()).iterator(chunk_size=_CHUNK)
    return found


def _asset(asset: Asset) -> Mapping[str, Any]:
    names = ("asset_id", "kind", "content_type", "sha256", "size_bytes", "width", "height", "created_at", "url")
    return {"run_id": asset.run.run_id, **{name: getattr(asset, name) for name in names}}


PART = Part(name="runs", order=WORKS, remove=remove, export=export)
