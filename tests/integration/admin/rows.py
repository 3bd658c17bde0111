"""Runs as the engine leaves them behind, written straight into the tables: the admin only reads."""

import hashlib
from datetime import timedelta
from decimal import Decimal

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from core.ids import new_id
from media.mock import mock_media
from runs.models import Asset, Attempt, CronLog, Feedback, Run, RunEvent, Step

_TYPES = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav"}


def make_run(*, slug="lighthouse-film", status="running", clips=3, owner=None, **fields):
    """A run whose first half is done: stills, clips, a sound, a stitch; two events a step."""
    now = timezone.now()
    final = status in {"done", "failed", "canceled"}
    run = Run.objects.create(
        run_id=new_id("run"),
        owner=owner,
        principal_id="user:1",
        zap_slug=slug,
        zap_version=2,
        source="---\nzap: lighthouse-film\nversion: 2\n---\n# A lighthouse\n",
        prompts={"prompts/a.md": "A lighthouse."},
        content_hash="0" * 64,
        inputs={"PLACE": "Cape Wrath"},
        provider_mode="mock",
        status=status,
        stage={"done": "complete", "failed": "failed"}.get(status, "generating"),
        quote_usd=Decimal("2.5"),
        cap_usd=Decimal(5),
        reserved_usd=0 if final else Decimal("1.2"),
        cost_usd=Decimal("1.3"),
        revision=2 * clips + 4,
        started_at=now - timedelta(seconds=95),
        finished_at=now if final else None,
        **fields,
    )
    names = [f"clip_{number}" for number in range(1, clips + 1)]
    for position, name in enumerate(names):
        done = final or position < clips // 2 + 1
        _step(run, name, position, "video.gen", "mp4" if done else None, done, now, duration_s=Decimal(2))
    _step(run, "sound", clips, "audio.music", "wav", True, now)
    _step(
        run,
        "film",
        clips + 1,
        "stitch",
        "mp4" if final else None,
        final,
        now,
        parents=[*names, "sound"],
        duration_s=Decimal(2),
    )
    if status == "done":
        film = Asset.objects.filter(run=run, step__step_id="film").get()
        Run.objects.filter(pk=run.pk).update(zap_url=film.url)
        run.refresh_from_db()
    Feedback.objects.create(run=run, kind="rlhf_vote", rater="human", scores={"look": 4}, comment="Good light.")
    return run


def _step(run, name, position, kind, makes, done, now, *, parents=(), duration_s=None):
    began = now - timedelta(seconds=90 - 5 * position)
    queued = bool(parents) and not done
    provider = "local" if kind == "stitch" else "mock"
    step = Step.objects.create(
        run=run,
        step_id=name,
        position=position,
        kind=kind,
        provider=provider,
        model="" if provider == "local" else f"mock/{kind}",
        spec={"step_id": name},
        parents=list(parents),
        status="done" if done else "queued" if queued else "running",
        wait_reason=None if done else "dependency" if queued else "provider_queue",
        progress=1 if done else 0 if queued else 0.4,
        price_quote_usd=Decimal("0.5"),
        actual_usd=Decimal("0.433333") if done else None,
        due_at=None if done else now,
        started_at=None if queued else began,
        finished_at=began + timedelta(seconds=21) if done else None,
    )
    if queued:
        return step
    attempt = Attempt.objects.create(
        run=run,
        step=step,
        number=1,
        status="done" if done else "accepted",
        idem_key=f"zap:idem:{run.run_id}:{name}:1:00ff",
        provider=provider,
        model=step.model,
        capability=kind,
        provider_request_id=new_id("job"),
        quote_usd=Decimal("0.5"),
        polls=4,
        actual_usd=step.actual_usd,
        due_at=None if done else now,
        created_at=began,
        finished_at=step.finished_at,
    )
    for event in ("started", "finished") if done else ("started",):
        seq = RunEvent.objects.filter(run=run).count() + 1
        RunEvent.objects.create(run=run, seq=seq, type=f"step.{event}", subject=name, actor="worker", happened_at=began)
    if makes:
        make_asset(attempt, makes, duration_s=duration_s)
    return step


def make_asset(attempt, kind, *, duration_s=None):
    """A stored file of the attempt that can be shown or played."""
    content = mock_media(
        kind, seed=attempt.step.step_id, label=attempt.step.step_id, width=320, height=180, duration_s=Decimal(2)
    )
    digest = hashlib.sha256(content).hexdigest()
    key = default_storage.save(f"runs/{attempt.run.run_id}/{attempt.step.step_id}/1/0-{digest}", ContentFile(content))
    seen = kind != "wav"
    return Asset.objects.create(
        asset_id=new_id("asset"),
        run=attempt.run,
        step=attempt.step,
        attempt=attempt,
        index=0,
        kind=kind,
        content_type=_TYPES[kind],
        storage_key=key,
        sha256=digest,
        size_bytes=len(content),
        width=320 if seen else None,
        height=180 if seen else None,
        duration_s=duration_s,
    )


def make_cycle(**fields):
    """A cycle of the drain that went well, unless told otherwise."""
    now = timezone.now()
    values = {"status": "success", "processed_count": 3, "end_time": now, "duration": 5000} | fields
    return CronLog.objects.create(job_name="drain", lease_until=now, **values)
