"""The lists of what failed, was said, called, went out and began by itself: found by an index, paged by their edge."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Departure
from automations.models import Batch, Firing, Schedule, Trigger
from notifications.models import Delivery, Endpoint
from runs.models import Asset, CronLog, DeadLetter, Feedback, Run, Step, Webhook
from tests.integration.admin.rows import make_cycle, make_run
from tests.integration.money import NOON, bury

pytestmark = pytest.mark.django_db
TABLES = (Batch, CronLog, DeadLetter, Delivery, Departure, Endpoint, Feedback, Firing, Schedule, Trigger, Webhook)
STANDING = {"made_by": "user:1", "slug": "lighthouse-film", "mode": "mock"}


@pytest.fixture(autouse=True)
def own_storage(tmp_path, settings):
    local = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "default": local}


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


@pytest.fixture
def listed(client, operator):
    """The rows of a list page, newest first."""

    def get(model, **query):
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.get(url, query)
        assert answer.status_code == 200
        return list(answer.context["cl"].result_list)

    return get


def receiver(owner, run=None, **fields):
    values = {"hook_id": f"hook_{Endpoint.objects.count()}", "url": "https://example.com/", "events": ["run.done"]}
    return Endpoint.objects.create(owner=owner, run=run, **(values | fields))


def standing(owner):
    """One of each order, and the firing of each."""
    now = timezone.now()
    orders = {
        "schedule": Schedule.objects.create(
            schedule_id="schedule_1", owner=owner, every_s=60, since=now, next_at=now, **STANDING
        ),
        "trigger": Trigger.objects.create(trigger_id="trigger_1", owner=owner, **STANDING),
        "batch": Batch.objects.create(
            batch_id="batch_1", owner=owner, row_count=1, quote_usd=0, most_usd=0, cap_usd=Decimal(1), **STANDING
        ),
    }
    firings = {
        name: Firing.objects.create(status="refused", number=1 if name == "batch" else None, **{name: order})
        for name, order in orders.items()
    }
    return orders, firings


def test_what_failed_last_is_the_first_dead_letter(listed):
    old, new = bury(at=NOON + timedelta(hours=1)), bury(at=NOON)

    assert [letter.run_id for letter in listed(DeadLetter)] == [old.pk, new.pk]


def test_behind_a_letter_that_goes_on_again_is_the_first_page(client, operator):
    gone_on, letter = bury(), bury()
    step = Step.objects.get(run=gone_on)
    Step.objects.filter(pk=step.pk).update(status="waiting", wait_reason="approval", finished_at=None)

    answer = client.get("/admin/runs/deadletter/", {"after": step.pk})

    assert [row.run_id for row in answer.context["cl"].result_list] == [letter.pk]


def test_a_dead_letter_is_found_by_its_run_code_model_and_recipe(listed):
    wanted, other = bury(error="MODERATED"), bury()
    Run.objects.filter(pk=wanted.pk).update(zap_slug="harbour")
    Step.objects.filter(run=wanted).update(model="fal-ai/wan", provider="fal")

    for query in (wanted.run_id, f"{wanted.run_id} clip", "MODERATED", "fal-ai/wan", "harbour"):
        assert [letter.run_id for letter in listed(DeadLetter, q=query)] == [wanted.pk], query
    assert listed(DeadLetter, q=f"{other.run_id} film") == []
    assert [letter.run_id for letter in listed(DeadLetter, provider="fal")] == [wanted.pk]


def test_feedback_is_found_by_what_it_is_about(listed):
    run, _other = make_run(status="done"), make_run(status="done")
    asset = Asset.objects.filter(run=run).first()
    vote = Feedback.objects.create(run=run, asset=asset, step=asset.step, kind="judge_score", rater="vlm")

    assert listed(Feedback, q=asset.asset_id) == [vote]
    assert listed(Feedback, q=f"{run.run_id} {asset.step.step_id}") == [vote]
    assert listed(Feedback, q=run.run_id) == [vote, run.feedback.earliest("pk")]
    assert listed(Feedback, rater="vlm") == listed(Feedback, kind="judge_score", rater="vlm") == [vote]


def test_a_cycle_is_found_by_its_job_or_the_code_of_its_error(listed):
    make_cycle()
    bad = make_cycle(status="partial", error="PROVIDER_UNAVAILABLE: busy.")

    assert listed(CronLog, q="PROVIDER_UNAVAILABLE") == [bad]
    assert len(listed(CronLog, q="drain")) == 2
    assert listed(CronLog, q="sweep") == []


def test_a_webhook_is_found_by_job_run_and_provider(listed):
    attempts = [make_run(status="done").attempts.first() for _ in range(2)]
    first, second = (
        Webhook.objects.create(
            attempt=attempt, provider=provider, event_id="e", request_id=attempt.provider_request_id, outcome="late"
        )
        for attempt, provider in zip(attempts, ("fal", "gmi"), strict=True)
    )

    assert listed(Webhook, q=attempts[0].provider_request_id) == listed(Webhook, q="fal") == [first]
    assert listed(Webhook, q=attempts[1].run.run_id) == [second]
    assert listed(Webhook, outcome="rung") == []


def test_receivers_and_deliveries_are_found_by_owner_run_and_id(listed, operator, alice):
    run = make_run(owner=alice)
    hers, his = receiver(alice, run), receiver(operator, is_on=False, off_reason="gone")
    delivery = Delivery.objects.create(owner=alice, endpoint=hers, run=run, event_id="evt_1", type="run.done", data={})
    mail = Delivery.objects.create(owner=operator, event_id="evt_2", type="run.done", data={})

    for query in ("alice", run.run_id, hers.hook_id):
        assert listed(Endpoint, q=query) == [hers], query
    assert listed(Endpoint, off_reason="gone") == [his]
    for query in ("evt_1", run.run_id, hers.hook_id):
        assert listed(Delivery, q=query) == [delivery], query
    assert listed(Delivery, q="evt_2") == [mail]


def test_a_firing_is_found_by_whatever_began_it_and_by_its_run(listed, operator):
    orders, firings = standing(operator)
    run = make_run()
    Firing.objects.filter(pk=firings["trigger"].pk).update(run=run, status="done")

    for name in orders:
        assert listed(Firing, q=f"{name}_1") == [firings[name]], name
    assert listed(Firing, q=run.run_id) == listed(Firing, status="done") == [firings["trigger"]]
    assert listed(Firing, q="batch_2") == []


def test_who_leaves_is_found_by_number_and_by_name(listed, alice):
    leaving = Departure.objects.create(user=alice, digest="1", asked_by="user:1")

    assert listed(Departure, q="alice") == listed(Departure, q=str(alice.pk)) == [leaving]
    assert listed(Departure, q="user:1") == listed(Departure, q="9" * 30) == []


def test_none_of_these_lists_skips_counts_or_joins_rows_to_find_its_page(client, operator, alice):
    run = bury(owner=operator)
    make_run(status="done"), make_cycle(), standing(operator), receiver(operator)
    Webhook.objects.create(attempt=Asset.objects.first().attempt, provider="fal", event_id="e", outcome="late")
    Delivery.objects.create(owner=operator, run=run, event_id="evt_1", type="run.done", data={})
    Departure.objects.create(user=alice, digest="1", asked_by="user:1")

    for model in TABLES:
        edge = model.objects.order_by("pk").first().pk
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for query in ({}, {"after": edge}, {"before": edge}):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(url, query).status_code == 200
            asked = [one["sql"] for one in seen.captured_queries if "EXPLAIN" not in one["sql"]]
            pages = [sql for sql in asked if sql.endswith("LIMIT 51")]

            assert not [sql for sql in asked if "OFFSET" in sql or sql.startswith("SELECT COUNT(")], model
            assert len(pages) == 1, model
            assert "JOIN" not in pages[0] or model is DeadLetter, model
