"""The operators' door to flows."""

import json

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flows import claims, manifests, output, results, sweep
from flows.admin import runs
from flows.events import replay
from flows.models import FlowAttempt, FlowEvent, FlowManifest, FlowOutput, FlowRun, FlowSweepLog
from tests.integration.flows.making import NOON, claim_one, dispatch, step, sync

pytestmark = pytest.mark.django_db
TABLES = [FlowManifest, FlowEvent, FlowRun, FlowAttempt, FlowOutput, FlowSweepLog]


@pytest.fixture
def client():
    """A browser; the room's own speaks the wire."""
    return Client()


@pytest.fixture
def operator(client):
    user = get_user_model().objects.create_superuser("op", password="x")
    client.force_login(user)
    return user


def change_url(row):
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model, **query):
    url = reverse(f"admin:flows_{model._meta.model_name}_changelist")
    return f"{url}?{'&'.join(f'{name}={value}' for name, value in query.items())}"


def page_of(client, url):
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def order(client, action, *rows):
    """Press an action for rows of one list; the page that says what came of it."""
    choice = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(list_url(type(rows[0])), choice, follow=True).content.decode()


def queries_of(client, url):
    with CaptureQueriesContext(connection) as seen:
        page_of(client, url)
    return len(seen)


def wrote(lease, *texts, first=1, kind="stdout"):
    pieces = [{"seq": first + place, "kind": kind, "text": text} for place, text in enumerate(texts)]
    output.append(lease.attempt_id, lease.token, pieces, at=NOON)


def finished(number=0):
    """A run that has ended, with an event, an attempt and output of its own."""
    sync(f"ci-{number}", step(on=f"pushed-{number}"))
    (run_id,) = dispatch(f"e{number}", type=f"pushed-{number}").run_ids
    lease = claim_one()
    wrote(lease, "compiling\n", "done\n")
    results.complete(lease.attempt_id, lease.token, {"status": "changed"}, at=NOON)
    sweep.sweep(at=NOON)
    return FlowRun.objects.get(run_id=run_id)


def queued(event_id="e1"):
    if not FlowManifest.objects.filter(name="ci").exists():
        sync()
    (run_id,) = dispatch(event_id).run_ids
    return FlowRun.objects.get(run_id=run_id)


def test_every_page_opens(client, operator):
    finished()

    for model in TABLES:
        assert page_of(client, list_url(model)), model
        assert page_of(client, change_url(model._base_manager.first())), model


def test_no_list_asks_more_of_the_database_when_it_has_more_rows(client, operator):
    finished()
    few = {model: queries_of(client, list_url(model)) for model in TABLES}

    for number in range(1, 4):
        finished(number)

    assert {model: queries_of(client, list_url(model)) for model in TABLES} == few


def test_the_page_of_a_run_asks_no_more_when_it_had_more_attempts_and_output(client, operator):
    short, long = finished(), queued()
    for _ in range(2):
        lease = claim_one()
        wrote(lease, *"abcdef")
        claims.release(lease.attempt_id, lease.token, at=NOON)

    assert long.attempts.count() == 2
    assert queries_of(client, change_url(long)) == queries_of(client, change_url(short))


def test_the_page_of_an_event_asks_no_more_when_it_started_more(client, operator):
    sync("one", step(on="small"))
    sync("two", *[step(f"s{number}", on="large") for number in range(8)])
    dispatch("e1", type="small")
    dispatch("e2", type="large")
    small, large = FlowEvent.objects.order_by("pk")

    assert queries_of(client, change_url(large)) == queries_of(client, change_url(small))


def test_lists_read_no_large_columns(client, operator):
    finished()

    for model, large in (
        (FlowRun, ('"snapshot"', '"payload"')), (FlowEvent, ('"payload"',)), (FlowAttempt, ('"token_digest"',)),
        (FlowOutput, ('"kind", "flow_output"."text"',)),
    ):  # fmt: skip
        with CaptureQueriesContext(connection) as seen:
            page_of(client, list_url(model))
        read = " ".join(one["sql"] for one in seen)
        assert not [name for name in large if name in read], model


@pytest.mark.parametrize("model", TABLES)
def test_nobody_but_staff_sees_anything(model, client):
    finished()
    client.force_login(get_user_model().objects.create_user("somebody"))

    assert client.get(list_url(model)).status_code == 302
    assert client.get(change_url(model._base_manager.first())).status_code == 302


@pytest.mark.parametrize("model", TABLES)
def test_no_row_is_added_changed_or_deleted_by_hand(model, client, operator):
    finished()
    row = model._base_manager.first()

    assert client.get(change_url(row).replace("change", "delete")).status_code == 403
    assert client.post(change_url(row), {}).status_code == 403
    assert client.get(list_url(model).replace("?", "add/")).status_code == 403


@pytest.mark.parametrize(("model", "action"), [(FlowRun, "cancel_selected"), (FlowEvent, "replay_selected")])
def test_who_may_only_look_is_offered_no_action(model, action, client):
    run = queued()
    watcher = get_user_model().objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.set(Permission.objects.filter(codename__in=("view_flowrun", "view_flowevent")))
    client.force_login(watcher)

    assert action not in page_of(client, list_url(model))
    order(client, action, model._base_manager.first())

    run.refresh_from_db()
    assert (run.status, FlowRun.objects.count()) == ("queued", 1)


def test_a_run_is_canceled_in_the_name_of_who_pressed(client, operator):
    run = queued()

    page = order(client, "cancel_selected", run)

    run.refresh_from_db()
    assert (run.status, run.canceled_by) == ("canceled", f"user:{operator.pk}")
    assert f"{run.run_id}: Canceled." in page
    assert LogEntry.objects.get().object_id == str(run.pk)


def test_one_run_that_has_ended_stops_no_other_from_being_canceled(client, operator):
    ended, open_run = finished(), queued()

    page = order(client, "cancel_selected", ended, open_run)

    open_run.refresh_from_db()
    assert open_run.status == "canceled"
    assert f"{ended.run_id}: RUN_ENDED" in page


def test_a_canceled_run_is_redriven_as_another_and_an_open_one_is_not(client, operator):
    canceled, still_open = queued("e1"), queued("e2")
    results.cancel(canceled.run_id, at=NOON)

    page = order(client, "redrive_selected", canceled, still_open)

    new = FlowRun.objects.get(event=canceled.event, replay=1)
    assert new.status == "queued"
    assert f"{canceled.run_id}: Redriven as {new.run_id}." in page
    assert f"{still_open.run_id}: RUN_ENDED" in page


def test_an_event_is_replayed_against_the_flows_as_they_are(client, operator):
    run = finished()
    sync("ci-0", step("other", on="pushed-0"), version=2)

    page = order(client, "replay_selected", run.event)

    assert "Replayed: 1 run." in page
    assert FlowRun.objects.get(event=run.event, replay=1).step_name == "other"


def test_a_disabled_flow_starts_nothing_until_it_is_enabled(client, operator):
    flow, _ = sync()

    page = order(client, "disable_selected", flow)
    assert "Disabled: events start nothing of it." in page
    assert dispatch("e1").run_ids == ()

    order(client, "enable_selected", flow)
    assert len(dispatch("e2").run_ids) == 1


def test_a_deleted_flow_is_not_enabled(client, operator):
    flow, _ = sync()
    manifests.delete(flow.name)

    assert "manifest ci: NOT_FOUND" in order(client, "enable_selected", flow)


def test_the_page_of_a_run_shows_its_attempts_and_the_tail_of_its_output(client, operator):
    run = queued()
    lease = claim_one("builder-7")
    wrote(lease, "compiling\n")

    page = page_of(client, change_url(run))

    assert "builder-7" in page
    assert '<span class="flow-stdout">compiling' in page
    assert change_url(run.attempts.get()) in page


def test_an_open_runs_page_follows_its_output_where_the_tail_ended(client, operator):
    run = queued()
    lease = claim_one()
    wrote(lease, "compiling\n")

    page = page_of(client, change_url(run))
    wrote(lease, "linking\n", first=2)

    assert f'data-from="{runs.output_address(run.run_id)}" data-after="1.1"' in page
    more = client.get(runs.output_address(run.run_id), {"after": "1.1"})
    assert [piece["text"] for piece in json.loads(more.content)["output"]] == ["linking\n"]
    assert "flows/output.js" in page
    assert finders.find("flows/output.js")


def test_the_page_of_a_run_that_has_ended_asks_for_nothing(client, operator):
    assert 'data-from=""' in page_of(client, change_url(finished()))


def test_without_addresses_a_run_is_shown_and_not_followed(client, operator, settings):
    settings.ROOT_URLCONF = "tests.integration.flows.admin_alone"

    assert 'data-from=""' in page_of(client, change_url(queued()))


def test_nothing_that_came_from_outside_becomes_html(client, operator):
    evil = "<script>alert(1)</script>"
    sync("ci", step(), description=evil, config={"a": evil})
    dispatch(evil, payload={"a": evil}, source=evil)
    lease = claim_one(evil)
    wrote(lease, evil)
    results.fail(lease.attempt_id, lease.token, evil, at=NOON)
    replay(evil)

    for model in TABLES[:-1]:
        assert "<script>alert" not in page_of(client, list_url(model))
        for row in model._base_manager.all():
            assert "<script>alert" not in page_of(client, change_url(row))


@pytest.mark.parametrize(
    ("model", "term"),
    [(FlowManifest, "ci-0"), (FlowEvent, "e0"), (FlowEvent, "pushed-0"), (FlowRun, "run"), (FlowRun, "e0"),
     (FlowAttempt, "run"), (FlowAttempt, "attempt"), (FlowOutput, "run"), (FlowOutput, "attempt")],
)  # fmt: skip
def test_rows_are_found_by_what_names_them(model, term, client, operator):
    run, _ = finished(0), finished(1)
    term = {"run": run.run_id, "attempt": f"{run.run_id}.1"}.get(term, term)

    answer = client.get(list_url(model, q=term))

    found = answer.context["cl"].result_list
    assert 0 < len(found) < model._base_manager.count()
    assert client.get(list_url(model, q="nothing-of-that-name")).context["cl"].result_count == 0


def test_lists_are_filtered_by_a_word(client, operator):
    run, waiting = finished(), queued()
    manifests.set_disabled("ci", True)

    def found(model, **query):
        return [str(row) for row in client.get(list_url(model, **query)).context["cl"].result_list]

    assert found(FlowRun, status="queued") == [waiting.run_id]
    assert found(FlowRun, result_status="changed") == [run.run_id]
    assert found(FlowManifest, state="disabled") == ["ci"]
    assert found(FlowManifest, state="live") == ["ci-0"]
    assert found(FlowAttempt, status="running") == []
    assert found(FlowSweepLog, status="failed") == []


def test_a_list_is_paged_by_its_edge(client, operator):
    first = queued("e0")
    for number in range(1, 52):
        dispatch(f"e{number}")

    page = client.get(list_url(FlowRun))
    older = client.get(reverse("admin:flows_flowrun_changelist") + page.context["cl"].older_url)

    assert page.context["cl"].result_count == 50
    assert [row.pk for row in older.context["cl"].result_list] == [first.pk + 1, first.pk]


def test_no_page_of_flows_needs_another_apps_files():
    for model in TABLES:
        page = admin.site._registry[model]
        assert page.change_list_template == "admin/flows/keyset.html"
        assert [path for paths in page.media._css.values() for path in paths] == ["flows/admin.css"]
