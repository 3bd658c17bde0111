"""Lists that are paged by their edge."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from runs.admin.outcomes import RunEventAdmin
from runs.admin.runs import RunAdmin
from runs.models import Asset, Attempt, LedgerEntry, Run, RunEvent, Step
from tests.integration.admin.rows import make_run
from tests.integration.money import spend

pytestmark = pytest.mark.django_db
TABLES = {
    "run": Run,
    "step": Step,
    "attempt": Attempt,
    "asset": Asset,
    "runevent": RunEvent,
    "ledgerentry": LedgerEntry,
}


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
    """The keys of the rows on a page, in their order, and its links by what they say."""

    def get(table, query=""):
        answer = client.get(f"/admin/runs/{table}/{query}")
        assert answer.status_code == 200
        page = answer.content.decode()
        nav = page[page.index('<nav class="paginator') :]
        links = dict(re.findall(r'<a href="([^"]*)"[^>]*>(?:‹ )?(\w+)', nav[: nav.index("</nav>")]))
        told = re.search(r"<span>(.*?)</span>\s*</nav>", nav).group(1)
        rows = [row.pk for row in answer.context["cl"].result_list]
        return rows, {name: url.replace("&amp;", "&") for url, name in links.items()}, told

    return get


def events(run, count):
    first = run.events.count() + 1
    RunEvent.objects.bulk_create(
        RunEvent(run=run, seq=first + n, type="step.started", subject="clip", actor="worker") for n in range(count)
    )
    return list(RunEvent.objects.order_by("-pk").values_list("pk", flat=True))


def test_one_walks_to_the_end_and_back_without_missing_or_repeating_a_row(listed, monkeypatch):
    monkeypatch.setattr(RunEventAdmin, "list_per_page", 7)
    every = events(make_run(), 20)
    assert len(every) % 7

    down, query = [], ""
    while True:
        rows, links, _ = listed("runevent", query)
        down.append(rows)
        if "Older" not in links:
            break
        query = links["Older"]
    up = [rows]
    while "Newer" in links:
        rows, links, _ = listed("runevent", links["Newer"])
        up.append(rows)

    assert [pk for rows in down for pk in rows] == every
    assert up[::-1] == down


def test_runs_that_began_at_the_same_moment_keep_their_order(listed, monkeypatch):
    monkeypatch.setattr(RunAdmin, "list_per_page", 2)
    for _ in range(5):
        make_run(clips=1)
    moment = timezone.now()
    Run.objects.update(started_at=moment)
    newest = make_run(clips=1)
    Run.objects.filter(pk=newest.pk).update(started_at=moment + timedelta(seconds=1))

    seen, query = [], ""
    for _ in range(3):
        rows, links, _ = listed("run", query)
        seen += rows
        query = links.get("Older", "")

    assert seen == list(Run.objects.order_by("-started_at", "-pk").values_list("pk", flat=True))
    assert query == ""


def test_the_links_keep_the_filter_and_the_filter_drops_the_place(client, listed, monkeypatch):
    monkeypatch.setattr(RunAdmin, "list_per_page", 1)
    done = [make_run(status="done", clips=1) for _ in range(3)]
    make_run(status="failed", clips=1)

    rows, links, _ = listed("run", "?status=done")
    assert rows == [done[2].pk]
    rows, links, _ = listed("run", links["Older"])
    assert rows == [done[1].pk]
    assert "status=done" in links["Newer"]
    page = client.get(f"/admin/runs/run/?status=done&after={done[2].pk}").content.decode()
    assert re.search(r'href="\?status=failed"', page)


def test_a_short_list_is_counted_and_a_long_one_estimated(listed, monkeypatch):
    run = make_run()
    count = RunEvent.objects.count()
    assert listed("runevent")[2] == f"{count} run events"

    monkeypatch.setattr(RunEventAdmin, "list_per_page", 5)
    events(run, 400)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE run_events")

    assert listed("runevent")[2] == f"5 of about {count + 400} run events"


@pytest.mark.parametrize(
    "query",
    ["?after=0", "?after=x", "?before=-1", "?after=9999999999999999999999", "?after=٣", "?o=1.-2", "?p=7", "?all="],
)
def test_a_place_that_is_none_is_the_first_page(listed, query):
    run = make_run(clips=1)

    assert listed("run", query)[0] == [run.pk]


def test_no_list_skips_or_counts_rows(client, operator):
    make_run(status="done", owner=operator)
    spend("1", owner=operator)
    for table, model in TABLES.items():
        edge = model.objects.order_by("pk").first().pk
        with CaptureQueriesContext(connection) as seen:
            for query in ("", f"?before={edge}", f"?after={edge}"):
                assert client.get(f"/admin/runs/{table}/{query}").status_code == 200
        asked = [query["sql"] for query in seen.captured_queries if "EXPLAIN" not in query["sql"]]

        assert not [sql for sql in asked if "OFFSET" in sql], table
        assert not [sql for sql in asked if sql.startswith("SELECT COUNT(")], table


def test_the_rows_of_a_page_are_not_told_as_all_results(client, operator, monkeypatch):
    monkeypatch.setattr(RunAdmin, "list_per_page", 1)
    make_run(clips=1), make_run(clips=1)

    page = client.get("/admin/runs/run/?q=lighthouse").content.decode()

    assert "1 result" not in page


def test_beyond_the_page_one_may_order_for_a_thousand_rows_and_no_more(client, operator, monkeypatch):
    make_run(clips=1)
    assert "Select all that match" not in client.get("/admin/runs/run/").content.decode()
    make_run(clips=1)
    monkeypatch.setattr(RunAdmin, "list_per_page", 1)

    assert "Select all that match, up to 1000" in client.get("/admin/runs/run/").content.decode()


def found(listed, table, term):
    return listed(table, f"?q={term.replace(' ', '+')}")[0]


def test_steps_attempts_assets_and_events_are_found_by_what_names_them(listed, operator):
    make_run(status="done")
    run = make_run(status="done")
    step = run.steps.get(step_id="clip_1")
    attempt, asset = step.attempts.get(), step.assets.get()
    event = RunEvent.objects.create(run=run, seq=99, type="run.canceled", subject=run.run_id, actor="user:7")

    for term in (f"{run.run_id} clip_1", attempt.idem_key, attempt.provider_request_id):
        assert found(listed, "step", term) == [step.pk], term
        assert found(listed, "attempt", term) == [attempt.pk], term
    for term in (asset.asset_id, f"{run.run_id} clip_1"):
        assert found(listed, "asset", term) == [asset.pk], term
    assert asset.pk in found(listed, "asset", asset.sha256)
    assert len(found(listed, "step", run.run_id)) == run.steps.count()
    assert len(found(listed, "runevent", run.run_id)) == run.events.count()
    assert found(listed, "runevent", "user:7") == [event.pk]


@pytest.mark.parametrize("status", ["accepted", "planned", "submitting", "settling", "canceling", "unknown", "done"])
def test_a_job_is_found_by_the_provider_s_id_whatever_became_of_it(listed, status):
    attempt = make_run(status="done").attempts.first()
    Attempt.objects.filter(pk=attempt.pk).update(
        status=status, due_at=None if status == "done" else timezone.now(), finished_at=timezone.now()
    )

    assert found(listed, "attempt", attempt.provider_request_id) == [attempt.pk]


@pytest.mark.parametrize("table", TABLES)
def test_what_is_not_there_is_not_found(listed, table, operator):
    make_run(status="done", owner=operator)

    assert found(listed, table, "nothing of that name") == []


def test_the_ledger_is_found_by_run_and_by_user(listed, operator):
    mine = spend("1", owner=operator)
    other = spend("2")

    assert found(listed, "ledgerentry", "op") == [mine.pk]
    assert found(listed, "ledgerentry", "run_1") == [other.pk, mine.pk]


def test_open_runs_are_filtered_by_what_they_wait_for(listed):
    waiting = make_run(status="waiting", wait_reason="approval", clips=1)
    make_run(status="waiting", wait_reason="budget", clips=1)

    assert listed("run", "?wait_reason=approval")[0] == [waiting.pk]
    assert listed("step", "?wait_reason=nonsense")[0] == []
