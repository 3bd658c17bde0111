"""A webhook that arrives as it should, and in every other order."""

import pytest
from django.db.models.functions import Now

from runs.models import Attempt, Webhook
from tests.integration.runs.life import states

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_webhook_makes_its_job_due_and_rings(vendor, at_work, bells):
    vendor.finish()

    assert vendor.answers() == [200]
    assert Attempt.objects.filter(due_at__lte=Now(), heard_at__isnull=False).count() == 1
    assert Webhook.objects.get().outcome == "rung"
    bells.answer_all()
    assert states(at_work) == ("done", {"a": "done"})
