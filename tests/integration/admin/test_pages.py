from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, IdempotencyKey
from accounts.tokens import create_token
from runs.models import Asset, Attempt, CronLog, Feedback, Run, RunEvent, Step
from tests.integration.admin.rows import make_cycle, make_run
from zaps.models import Zap, ZapVersion

pytestmark = pytest.mark.django_db

TABLES = [Run, Step, Attempt, Asset, Feedback, CronLog, RunEvent, Zap, ZapVersion, ApiToken, IdempotencyKey]


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


@pytest.fixture(autouse=True)
def own_storage(tmp_path, settings):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }


def change_url(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model, **query):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


def queries_of(client, url):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def fill(owner, number=0):
    """At least one row in every table."""
    make_run(status="done", owner=owner)
    make_cycle()
    zap = Zap.objects.create(
        slug=f"lighthouse-film-{number}",
        status="published",
        version=1,
        source="A",
        content_hash="0",
        estimate_usd=Decimal(1),
    )
    ZapVersion.objects.create(zap=zap, version=1, source="A", content_hash="0", estimate_usd=Decimal(1))
    create_token(owner, f"laptop {number}")
    IdempotencyKey.objects.create(
        principal=f"user:{number}", key="k", request_hash="0", lease_until=timezone.now(), lease_token="0" * 32
    )


def test_every_table_is_in_the_admin():
    assert set(TABLES) <= set(admin.site._registry)


def test_every_page_opens(client, operator):
    fill(operator)

    for model in TABLES:
        assert client.get(list_url(model)).status_code == 200, model
        assert client.get(change_url(model._base_manager.first())).status_code == 200, model


def test_no_list_asks_more_of_the_database_when_it_has_more_rows(client, operator):
    fill(operator)
    few = {model: queries_of(client, list_url(model)) for model in TABLES}

    for number in range(1, 4):
        fill(operator, number)

    assert {model: queries_of(client, list_url(model)) for model in TABLES} == few


def test_the_page_of_a_run_asks_no_more_when_the_run_is_longer(client, operator):
    short, long = make_run(clips=1, owner=operator), make_run(clips=8, owner=operator)

    assert queries_of(client, change_url(short)) == queries_of(client, change_url(long))


@pytest.mark.parametrize("model", TABLES)
def test_no_row_is_added_changed_or_deleted_by_hand(model, client, operator):
    fill(operator)
    row = model._base_manager.first()

    assert client.get(change_url(row).replace("change", "delete")).status_code == 403
    assert client.post(change_url(row), {}).status_code == 403
    assert client.get(list_url(model).replace("?", "add/")).status_code == 403


def test_a_run_shows_its_steps_attempts_assets_and_story(client, operator):
    run = make_run(status="done", owner=operator)

    page = client.get(change_url(run)).content.decode()

    for step in Step.objects.filter(run=run):
        assert change_url(step) in page
    for attempt in Attempt.objects.filter(run=run):
        assert attempt.provider_request_id in page
    for asset in Asset.objects.filter(run=run):
        assert f'src="{asset.url}"' in page
    assert page.count("step.finished") == 5
    assert "$1.30 of $5.00" in page


def test_a_run_says_why_it_waits(client, operator):
    waiting = make_run(status="waiting", wait_reason="submission_unknown")

    page = client.get(change_url(waiting)).content.decode()

    assert "a paid request&#x27;s fate is not known" in page
    assert "Waits: clip_3 not done." in page


def test_a_failed_run_says_what_to_do(client, operator):
    failed = make_run(status="failed", error="PROVIDER_UNAVAILABLE")

    page = client.get(change_url(failed)).content.decode()

    assert "The provider is busy or down. Run again later." in page


def test_a_recipe_cannot_write_html_into_the_page(client, operator):
    run = make_run()
    Run.objects.filter(pk=run.pk).update(source="<script>alert(1)</script>", inputs={"A": "<script>alert(2)</script>"})

    page = client.get(change_url(run)).content.decode()

    assert "<script>alert" not in page


@pytest.mark.parametrize("find", ["run_id", "slug", "request", "key", "user"])
def test_a_run_is_found_by_everything_that_names_it(find, client, operator):
    wanted, _other = make_run(slug="harbour", owner=operator), make_run(slug="mountain")
    attempt = Attempt.objects.filter(run=wanted).first()
    term = {
        "run_id": wanted.run_id,
        "slug": "harb",
        "request": attempt.provider_request_id,
        "key": attempt.idem_key,
        "user": "op",
    }[find]

    page = client.get(list_url(Run, q=term)).content.decode()

    assert wanted.run_id in page
    assert _other.run_id not in page


def test_runs_are_filtered_by_a_state(client, operator):
    running, done = make_run(status="running"), make_run(status="done")

    page = client.get(list_url(Run, status="running")).content.decode()

    assert running.run_id in page
    assert done.run_id not in page


def test_canceling_goes_through_the_engine(client, operator):
    run = make_run(status="running")

    client.post(reverse("admin:runs_run_cancel", args=[run.pk]))

    run.refresh_from_db()
    assert run.status == "canceled"
    assert RunEvent.objects.filter(run=run, type="run.canceled", actor=f"user:{operator.pk}").count() == 1


def test_canceling_many_tells_which_had_ended(client, operator):
    running, done = make_run(status="running"), make_run(status="done")
    order = {"action": "cancel_selected", "_selected_action": [running.pk, done.pk]}

    page = client.post(list_url(Run), order, follow=True).content.decode()

    assert "1 run was canceled." in page
    assert "1 run had ended already." in page


def test_who_may_only_look_cannot_cancel(client):
    watcher = get_user_model().objects.create_user("watcher", password="x", is_staff=True)
    watcher.user_permissions.set(permissions("view_run"))
    client.force_login(watcher)
    run = make_run(status="running")

    assert client.get(change_url(run)).status_code == 200
    assert client.post(reverse("admin:runs_run_cancel", args=[run.pk])).status_code == 403
    run.refresh_from_db()
    assert run.status == "running"


def test_canceling_needs_a_post(client, operator):
    run = make_run(status="running")

    assert client.get(reverse("admin:runs_run_cancel", args=[run.pk])).status_code == 405


def permissions(*names):
    from django.contrib.auth.models import Permission

    return Permission.objects.filter(codename__in=names)


def test_a_small_picture_is_a_jpeg_that_is_made_once(client, operator):
    asset = Asset.objects.filter(run=make_run(status="done"), kind="mp4").first()
    url = reverse("admin:runs_asset_thumbnail", args=[asset.pk])
    first = client.get(url)

    default_storage.delete(asset.storage_key)

    assert first.content[:3] == b"\xff\xd8\xff"
    assert client.get(url).content == first.content
    assert "immutable" in first.headers["Cache-Control"]


@pytest.mark.parametrize("kind", ["wav", None])
def test_what_has_no_picture_is_not_found(kind, client, operator):
    sound = Asset.objects.filter(run=make_run(status="done"), kind=kind).first()
    pk = sound.pk if sound else 10**9

    assert client.get(reverse("admin:runs_asset_thumbnail", args=[pk])).status_code == 404


def test_a_small_picture_is_for_staff_only(client):
    asset = Asset.objects.filter(run=make_run(status="done"), kind="mp4").first()

    assert client.get(reverse("admin:runs_asset_thumbnail", args=[asset.pk])).status_code == 302


def test_the_list_of_cycles_shows_the_newest_at_a_glance(client, operator):
    make_cycle()
    make_cycle(status="failed", processed_count=0, error_count=1, error="PROVIDER_UNAVAILABLE: busy.")

    page = client.get(list_url(CronLog)).content.decode()

    assert "The newest 2 cycles: <b>3</b> dealt with, <b>1</b> errors, <b>1</b> failed cycles." in page
    assert page.count("zap-cell-failed") == 1


def test_a_token_is_revoked_and_never_shown(client, operator):
    token, plain = create_token(operator, "laptop")

    client.post(list_url(ApiToken), {"action": "revoke_tokens", "_selected_action": [token.pk]})

    token.refresh_from_db()
    assert token.revoked_at is not None
    page = client.get(change_url(token)).content.decode()
    assert plain not in page
    assert token.digest not in page


def test_operators_can_still_change_the_schedule(client, operator):
    assert client.get("/admin/django_celery_beat/periodictask/add/").status_code == 200
    assert client.get("/admin/django_celery_beat/intervalschedule/").status_code == 200
