"""The admin's list of webhooks."""

import pytest
from django.urls import reverse

from runs.engine.advance import advance_run
from runs.models import Webhook
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db


def test_staff_see_who_called_about_what_and_cannot_change_it(admin_client):
    run = make_run(planned("a"))
    advance_run(run.pk)
    heard = Webhook.objects.create(
        attempt=run.attempts.get(), provider="fal", event_id="evt-1", request_id="job-1", outcome="proof"
    )

    page = admin_client.get(reverse("admin:runs_webhook_changelist"), {"q": "job-1", "outcome": "proof"})
    row = admin_client.get(reverse("admin:runs_webhook_change", args=[heard.pk]))

    assert page.status_code == row.status_code == 200
    assert "job-1" in page.content.decode()
    assert "evt-1" in row.content.decode()
    assert admin_client.get(reverse("admin:runs_webhook_add")).status_code == 403
    assert admin_client.post(reverse("admin:runs_webhook_delete", args=[heard.pk])).status_code == 403
