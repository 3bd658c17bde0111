"""Between an attempt's row and its provider: which adapter, which key, what to ask for."""

import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files.storage import default_storage

from core.errors import ZapsError
from core.money import ZERO, usd
from media.frames import last_frame
from providers.contract import Cost, Generation, Job, JobState, Media, Snapshot
from providers.errors import ProviderError
from runs.engine import reads
from runs.engine.given import given_media
from runs.models import Asset, Attempt, Run, Step
from zaps.planned import InputRef, PlannedStep, Role, Source

_CLASS = {"png": "images", "mp4": "videos", "wav": "audios"}

FREE = Cost(usd=ZERO, source="none")


def job_of(attempt: Attempt) -> Job:
    """The job as its submission described it."""
    return Job(request_id=attempt.provider_request_id, model=attempt.model, urls=attempt.urls)


def code_of(error: ZapsError) -> str:
    """The stable code to keep of what went wrong."""
    return error.reason if isinstance(error, ProviderError) else error.code


def cost_of(snapshot: Snapshot, attempt: Attempt) -> Cost:
    """What the job cost: what the provider said; else our quote if it is paid for or has delivered, else nothing."""
    cost = snapshot.cost
    if isinstance(cost, Cost):
        return Cost(usd=usd(cost.usd), source=cost.source)
    if cost is None and snapshot.state != JobState.DONE:
        return FREE
    if cost is not None and cost.units is not None:
        price = PlannedStep.from_json(attempt.step.spec).price_at(attempt.provider, attempt.model)
        # A flat price, or one of several, may be in another unit than the vendor counts by.
        if price and price.unit != "request" and not price.variant:
            return Cost(usd=usd(cost.units * price.usd), source="derived")
    return Cost(usd=attempt.quote_usd, source="quoted")


def generation_of(attempt: Attempt) -> Generation:
    """What to ask the attempt's provider for, with the assets of earlier steps read only when the adapter wants them.

    Raises MediaError when a clip's last frame cannot be taken.
    """
    step, planned = attempt.step, PlannedStep.from_json(attempt.step.spec)
    media: dict[str, list[Media]] = {"images": [], "videos": [], "audios": []}
    first_frame: Media | None = None
    for ref, asset in _materials(step, planned):
        if ref.role == Role.FIRST_FRAME:
            first_frame = _first_frame_of(asset)
        elif asset.kind in _CLASS:
            media[_CLASS[asset.kind]].append(Media(content_type=asset.content_type, read=partial(read_asset, asset)))
    for given in _given(step, planned):
        media[given.content_type.split("/", 1)[0] + "s"].append(given)
    return Generation(
        capability=planned.kind,
        model=attempt.model,
        prompt=planned.prompt,
        images=tuple(media["images"]),
        videos=tuple(media["videos"]),
        audios=tuple(media["audios"]),
        first_frame=first_frame,
        duration_s=planned.duration_s,
        aspect=planned.aspect,
        variation=attempt.number - 1,
        params=_params(planned, attempt),
    )


def materials(step: Step) -> list[Asset]:
    """The assets that the step's references name, in recipe order."""
    return [asset for _, asset in _materials(step, PlannedStep.from_json(step.spec))]


def read_asset(asset: Asset) -> bytes:
    """The stored bytes."""
    with default_storage.open(asset.storage_key, "rb") as file:
        content: bytes = file.read()
    return content


def _materials(step: Step, planned: PlannedStep) -> list[tuple[InputRef, Asset]]:
    refs = [ref for ref in planned.inputs if ref.source == Source.STEP]
    if not refs:
        return []
    made = reads.results_of(step.run_id, {ref.name for ref in refs})
    return [(ref, asset) for ref in refs for asset in made.get(ref.name, ())]


def _given(step: Step, planned: PlannedStep) -> list[Media]:
    refs = [ref for ref in planned.inputs if ref.source == Source.USER]
    return given_media(refs, Run.objects.values_list("inputs", flat=True).get(pk=step.run_id)) if refs else []


def _params(planned: PlannedStep, attempt: Attempt) -> Mapping[str, Any]:
    """A recipe's own seed would make every candidate and every further try the same."""
    seed = planned.params.get("seed")
    if attempt.number == 1 or not isinstance(seed, int):
        return planned.params
    return {**planned.params, "seed": seed + attempt.number - 1}


def _first_frame_of(asset: Asset) -> Media:
    """A picture as it is; of a clip, its last frame."""
    if asset.kind == "png":
        return Media(content_type=asset.content_type, read=partial(read_asset, asset))
    return _last_frame_of(asset)


def _last_frame_of(asset: Asset) -> Media:
    with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
        clip, frame = Path(folder, "clip.mp4"), Path(folder, "frame.png")
        clip.write_bytes(read_asset(asset))
        last_frame(clip, frame)
        content = frame.read_bytes()
    return Media(content_type="image/png", read=_always(content))


def _always(content: bytes) -> Callable[[], bytes]:
    return lambda: content
