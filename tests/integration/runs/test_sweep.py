"""Files that no asset names are deleted, and no other."""

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from runs.control import cancel_run
from runs.engine.advance import advance_run
from runs.engine.sweep import SETTLED, sweep
from runs.models import Attempt
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)

PAST = SETTLED + timedelta(minutes=1)


def orphan_of(run):
    """A file that was stored for the run's first attempt and never became an asset."""
    return default_storage.save(f"runs/{run.run_id}/a/1/0-orphan.png", ContentFile(b"nobody's"))


def canceled():
    run = make_run(planned("a"))
    advance_run(run.pk)
    cancel_run(run.run_id, actor="user:1")
    return run


def test_a_file_of_a_canceled_attempt_is_deleted(bells):
    orphan = orphan_of(canceled())
    Attempt.objects.update(finished_at=Now() - PAST)

    swept = sweep()

    assert swept == 1
    assert not default_storage.exists(orphan)


def test_a_file_that_a_worker_may_still_be_storing_is_left_alone(bells):
    orphan = orphan_of(canceled())

    swept = sweep()

    assert swept == 0
    assert default_storage.exists(orphan)


def test_a_file_that_an_asset_names_is_kept(bells):
    run = make_run(planned("a"))
    bells.answer_all()
    Attempt.objects.update(status="failed", finished_at=Now() - PAST)

    swept = sweep()

    assert swept == 0
    assert default_storage.exists(run.assets.get().storage_key)


def test_an_attempt_that_stored_nothing_is_no_trouble(bells):
    canceled()
    Attempt.objects.update(finished_at=Now() - PAST)

    assert sweep() == 0
