"""DELETE /api/runs/{runId}: what was given, said and made is gone; what it cost stays."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from runs.control import cancel_run, give_feedback
from runs.deletion import files
from runs.models import Asset, DoomedFile, LedgerEntry, Run, RunEvent
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import live

pytestmark = pytest.mark.django_db(transaction=True)


def stored():
    """Every file that there is."""
    root = Path(default_storage.path(""))
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def rows(table, columns):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY id")
        return cursor.fetchall()


def made(bells, *steps, **fields):
    run = make_run(*(steps or (planned("a"),)), **fields)
    bells.answer_all()
    run.refresh_from_db()
    return run


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_the_files_of_a_deleted_run_are_gone(bells, delete, alice, as_alice):
    run = made(bells, owner=alice)
    assert stored()

    answer = delete(run, as_alice)
    bells.answer_all()

    assert (answer.status_code, answer.content) == (204, b"")
    assert stored() == []
    assert not DoomedFile.objects.exists()


def test_the_files_are_there_until_the_deletion_is_committed(bells, delete, alice, as_alice):
    run = made(bells, owner=alice)
    before = stored()

    delete(run, as_alice)

    assert stored() == before
    assert bells.waiting


def test_a_lost_message_leaves_the_files_to_the_next_look(bells, delete, alice, as_alice):
    run = made(bells, owner=alice)
    delete(run, as_alice)
    bells.waiting.clear()

    assert files.delete_due() == (2, 0)  # the asset, and the run's folder
    assert stored() == []


@pytest.mark.parametrize("table", ["ledger", "budgets", "cron_logs"])
def test_the_money_is_the_same_to_the_cent(bells, fal, delete, alice, as_alice, table):
    run = live(paid("a"), owner=alice)
    bells.answer_all()
    before = rows(table, "*"), rows("runs", "cost_usd, reserved_usd, quote_usd, cap_usd, status, run_id")

    delete(run, as_alice)

    assert LedgerEntry.objects.filter(run_id=run.run_id).exists()
    assert (rows(table, "*"), rows("runs", "cost_usd, reserved_usd, quote_usd, cap_usd, status, run_id")) == before


def test_deleting_twice_is_the_same_as_once(bells, delete, alice, as_alice):
    run = made(bells, owner=alice)

    answers = [delete(run, as_alice).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert RunEvent.objects.filter(run=run, type="run.deleted").count() == 1


@pytest.mark.parametrize("path", ["", "/log", "/attempts", "/events", "/share"])
def test_a_deleted_run_says_that_it_was_deleted(bells, client, delete, alice, as_alice, path):
    run = made(bells, owner=alice)
    delete(run, as_alice)

    assert code_of(client.get(f"/api/runs/{run.run_id}{path}", headers=as_alice)) == (410, "RUN_DELETED")


@pytest.mark.parametrize(
    "verb", ["cancel", "approve", "reject", "retry", "resume", "rerun-from", "fork", "feedback", "share", "compile"]
)
def test_nobody_lays_a_hand_on_a_deleted_run(bells, post, delete, alice, as_alice, verb):
    run = made(bells, owner=alice)
    delete(run, as_alice)

    answer = post(f"/api/runs/{run.run_id}/{verb}", {"stepId": "a"} if verb == "rerun-from" else {}, **as_alice)

    assert code_of(answer) == (410, "RUN_DELETED")


def test_an_asset_of_a_deleted_run_is_gone_with_it(bells, client, delete, alice, as_alice):
    run = made(bells, owner=alice)
    asset = run.assets.get()
    delete(run, as_alice)

    assert code_of(client.get(asset.url, headers=as_alice)) == (410, "RUN_DELETED")


def test_no_list_shows_it(bells, client, delete, alice, as_alice, as_staff):
    run, other = made(bells, owner=alice), made(bells, owner=alice)
    delete(run, as_alice)

    for headers in (as_alice, as_staff):
        listed = client.get("/api/runs", headers=headers).json()["runs"]
        assert [row["runId"] for row in listed] == [other.run_id]


def test_strangers_are_told_that_there_is_no_such_run(bells, delete, alice, as_alice, as_bob):
    run = made(bells, owner=alice)

    before = code_of(delete(run, as_bob))
    delete(run, as_alice)

    assert (before, code_of(delete(run, as_bob))) == ((404, "NOT_FOUND"), (404, "NOT_FOUND"))


def test_staff_delete_what_is_not_theirs_and_the_event_says_who_it_was(bells, delete, alice, as_staff):
    run = made(bells, owner=alice)

    assert delete(run, as_staff).status_code == 204
    assert RunEvent.objects.get(run=run, type="run.deleted").actor.startswith("token:")


@pytest.mark.parametrize("state", ["queued", "running", "waiting"])
def test_a_run_that_has_not_ended_is_to_be_canceled_first(db, delete, alice, as_alice, state):
    run = make_run(planned("a"), owner=alice)
    Run.objects.filter(pk=run.pk).update(status=state)

    answer = delete(run, as_alice)

    assert code_of(answer) == (409, "RUN_NOT_OVER")
    assert "Cancel it first" in answer.json()["remediation"]
    assert Run.objects.get().source


def test_a_job_that_still_lives_at_its_provider_keeps_the_run(bells, fal, delete, alice, as_alice):
    fal.work_for(3600)
    run = live(paid("a"), owner=alice)
    bells.answer()  # advance
    bells.answer()  # submit
    cancel_run(run.run_id, actor="user:1")

    answer = delete(run, as_alice)

    assert code_of(answer) == (409, "RUN_NOT_OVER")
    assert answer.json()["liveAttempts"] == 1


def test_what_a_fork_took_over_stays_until_the_fork_goes_too(bells, delete, alice, as_alice):
    run = made(bells, planned("a"), owner=alice)
    fork = fork_of(bells, run)
    shared = fork.assets.get().storage_key
    assert shared == run.assets.get().storage_key

    delete(run, as_alice)
    bells.answer_all()
    kept = stored()
    delete(fork, as_alice)
    bells.answer_all()

    assert (kept, stored()) == ([shared], [])


def fork_of(bells, run):
    """A branch that takes over what its parent made; the factories' recipe cannot be planned anew."""
    fork = make_run(planned("a"), owner=run.owner)
    Run.objects.filter(pk=fork.pk).update(parent=run)
    bells.answer_all()
    return fork


def test_evidence_of_a_deleted_run_still_counts(bells, client, delete, alice, as_alice):
    run = made(bells, owner=alice)
    give_feedback(run.run_id, actor="user:1", vote="up", step_id="a", comment="lovely")
    before = client.get("/api/zaps/test/evidence", headers=as_alice).json()

    delete(run, as_alice)
    after = client.get("/api/zaps/test/evidence", headers=as_alice).json()

    comments = before["mock"]["steps"][0]["votes"].pop("comments"), after["mock"]["steps"][0]["votes"].pop("comments")
    assert (len(comments[0]), comments[1]) == (1, [])
    assert after == before


def test_it_takes_as_many_queries_for_two_hundred_assets_as_for_one(
    bells, delete, alice, as_alice, django_assert_max_num_queries
):
    run = made(bells, owner=alice)
    first = run.assets.get()
    Asset.objects.filter(pk=first.pk).update(index=1000)
    names = ("run_id", "step_id", "attempt_id", "kind", "content_type", "sha256", "size_bytes")
    values = {name: getattr(first, name) for name in names}
    Asset.objects.bulk_create(
        Asset(index=number, asset_id=f"asset_{number:016}", storage_key=f"{first.storage_key}.{number}", **values)
        for number in range(200)
    )

    with django_assert_max_num_queries(30):
        delete(run, as_alice)

    assert DoomedFile.objects.count() == 202
