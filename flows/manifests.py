"""Which flows there are: synced by their workers, one row a name, with every change kept."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from core.again import again
from core.errors import NotFound
from flows.manifest import Manifest, read_manifest
from flows.models import FlowManifest, FlowManifestVersion, FlowTrigger


@again
@transaction.atomic
def sync(data: Any, *, at: datetime | None = None) -> tuple[FlowManifest, bool]:
    """Store a manifest in the place of what its name had, and whether the name is new. A deleted one is there again.

    What is absent now is removed. A disabled one stays disabled. Raises BadInput with everything that is wrong.
    """
    manifest = read_manifest(data)
    moment = at or Now()
    new = FlowManifest(
        name=manifest.name, digest=manifest.digest, revision=1, synced_at=moment, created_at=moment,
        updated_at=moment, **_columns(manifest),
    )  # fmt: skip
    FlowManifest.objects.bulk_create([new], ignore_conflicts=True)
    row = FlowManifest.objects.select_for_update().get(name=manifest.name)
    is_new = not row.versions.exists()
    if is_new or row.digest != manifest.digest:
        revision = 1 if is_new else row.revision + 1
        FlowManifest.objects.filter(pk=row.pk).update(
            digest=manifest.digest, revision=revision, updated_at=moment, **_columns(manifest)
        )
        FlowManifestVersion.objects.create(
            manifest=row, revision=revision, version=manifest.version, content=dict(manifest.content), synced_at=moment
        )
        _listen(row, manifest)
    FlowManifest.objects.filter(pk=row.pk).update(synced_at=moment, deleted_at=None)
    row.refresh_from_db()
    return row, is_new


def set_disabled(name: str, disabled: bool, *, at: datetime | None = None) -> FlowManifest:
    """Let events start a flow's steps, or not; runs that there are go on. Raises NotFound."""
    return _change(name, disabled_at=(at or Now()) if disabled else None)


def delete(name: str, *, at: datetime | None = None) -> FlowManifest:
    """Take a flow away: nothing starts it until it is synced again; its runs and history stay. Raises NotFound."""
    return _change(name, deleted_at=at or Now())


def _change(name: str, **changes: Any) -> FlowManifest:
    if not FlowManifest.objects.filter(name=name, deleted_at=None).update(**changes):
        raise NotFound(f"There is no flow {name[:80]!r}.")
    return FlowManifest.objects.get(name=name)


def _columns(manifest: Manifest) -> dict[str, Any]:
    return {
        "version": manifest.version,
        "description": manifest.description,
        "root": manifest.root,
        "config": manifest.config,
        "steps": list(manifest.content.get("steps") or []),
    }


def _listen(row: FlowManifest, manifest: Manifest) -> None:
    FlowTrigger.objects.filter(manifest=row).delete()
    FlowTrigger.objects.bulk_create(
        FlowTrigger(manifest=row, position=place, type=step.trigger.type, schema=step.trigger.schema)
        for place, step in enumerate(manifest.steps)
        if step.trigger is not None
    )
