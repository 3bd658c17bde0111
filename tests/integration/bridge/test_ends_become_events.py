import pytest

from bridge import outbox
from bridge.models import PendingEvent
from flows.models import FlowEvent, FlowRun
from runs.control.cancel import cancel_run
from runs.control.reopen import rerun_from
from runs.models import Asset, Run, RunEvent
from tests.factories import make_run, planned
from tests.integration.bridge.ways import events, finish, types
from tests.integration.flows.making import step, sync

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_that_is_done_becomes_an_event_and_starts_what_listens_for_it(alice, bells):
    sync("notes", step("note", on="zap.run.done"))
    run = finish(bells, alice)

    assert outbox.hand_over() == 1

    event = FlowEvent.objects.get()
    film = Asset.objects.get(run=run)
    assert (event.type, event.source) == ("zap.run.done", "zaps")
    assert event.payload == {
        "runId": run.run_id,
        "revision": run.revision,
        "zapSlug": "test",
        "zapVersion": 1,
        "providerMode": "mock",
        "status": "done",
        "error": None,
        "spentUsd": "0.000000",
        "film": {"assetId": film.asset_id, "url": f"/api/assets/{film.asset_id}/content"},
        "statusUrl": f"/api/runs/{run.run_id}",
        "pageUrl": f"/runs/{run.run_id}",
    }
    assert event.occurred_at.startswith(run.finished_at.strftime("%Y-%m-%dT%H:%M:%S"))
    assert FlowRun.objects.get().event == event
    assert not PendingEvent.objects.exists()


def test_its_id_is_that_of_the_run_and_of_the_move_in_the_run_s_log(bells):
    run = finish(bells)
    outbox.hand_over()

    seq = RunEvent.objects.get(run=run, type="run.finished").seq
    assert events() == [("zap.run.done", f"evt_{run.run_id[4:]}_{seq}")]


def test_addresses_are_those_that_callers_know_us_by(bells, settings):
    settings.ZAP_PUBLIC_URL = "https://zaps.example.com"
    run = finish(bells)
    outbox.hand_over()

    payload = FlowEvent.objects.get().payload
    assert payload["statusUrl"] == f"https://zaps.example.com/api/runs/{run.run_id}"
    assert payload["film"]["url"] == f"https://zaps.example.com{run.zap_url}"


def test_a_run_that_failed_says_why_and_has_no_film(bells):
    run = finish(bells, None, planned("door", params={"mock": {"fail": "PROVIDER_REJECTED"}}))
    assert run.status == "failed"
    outbox.hand_over()

    event = FlowEvent.objects.get()
    assert (event.type, event.payload["status"], event.payload["film"]) == ("zap.run.failed", "failed", None)
    assert event.payload["error"] == run.error


def test_a_run_that_is_canceled_says_so(bells):
    run = make_run(planned("door"))
    cancel_run(run.run_id, actor="user:1")
    outbox.hand_over()

    assert types() == ["zap.run.canceled"]


def test_what_a_run_was_given_is_not_told(alice, bells):
    finish(bells, alice, inputs={"NAME": "quetzalcoatl"}, session_id="quetzalcoatl")
    outbox.hand_over()

    assert "quetzalcoatl" not in str(FlowEvent.objects.values().get())
    assert f"user:{alice.pk}" not in str(FlowEvent.objects.values().get())


def test_a_run_that_is_made_to_go_on_and_ends_again_is_told_of_again(bells):
    run = finish(bells)
    outbox.hand_over()

    rerun_from(run.run_id, "door", actor="user:1")
    bells.answer_all()
    outbox.hand_over()

    (first, one), (second, other) = events()
    assert first == second == "zap.run.done"
    assert one != other
    assert Run.objects.get().revision == FlowEvent.objects.latest("pk").payload["revision"]


def test_nobody_is_told_unless_the_operator_says_so(bells, settings, rung):
    settings.ZAP_FLOW_EVENTS = "none"

    finish(bells)

    assert not PendingEvent.objects.exists()
    assert rung == []


def test_only_runs_of_staff_are_told_where_the_operator_says_so(alice, sam, bells, settings):
    settings.ZAP_FLOW_EVENTS = "staff"
    finish(bells, None), finish(bells, alice)
    told = finish(bells, sam)

    outbox.hand_over()

    assert [event.payload["runId"] for event in FlowEvent.objects.all()] == [told.run_id]
