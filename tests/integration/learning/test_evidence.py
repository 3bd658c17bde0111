"""What many runs of one recipe show."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.caller import Caller, CallerUnknown
from cli.__main__ import main
from core.errors import NotFound
from core.ids import new_id
from runs.learning import evidence
from runs.learning.evidence import gather
from runs.models import Asset, Feedback, Run
from tests.integration.learning.rows import caller_of, end, make_try, order_run
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db

FILM = """---
zap: blue-door
version: 2
description: A door opens.
inputs: {NAME: {type: string}}
budget: {estimate_usd: 0.4, cap_usd: 9}
steps:
  - {id: door, kind: image.gen, provider: fal, model: fal-ai/flux/dev, prompt: "A door for {NAME}"}
  - {id: on, kind: video.gen, duration_s: 5, provider: fal, inputs: [door], prompt: It opens.,
     model: fal-ai/kling-video/v2.1/pro/image-to-video}
  - {id: film, kind: stitch, inputs: [on]}
---
"""


def seen(user, days=30, slug="blue-door"):
    return gather(slug, caller_of(user), days=days, now=timezone.now())


def film(owner, *, mode="live", status="done", seconds=60, cost=None, **tries):
    return end(order_run(FILM, owner, mode=mode), status, seconds=seconds, cost=cost, **tries)


def steps(part):
    return {one.step: one for one in part.facts.steps}


def failed(error, **more):
    return {"status": "failed", "error": error, **more}


def test_runs_are_counted_by_their_end_and_live_is_kept_from_mock(alice):
    for seconds, cost in ((10, "0.5"), (20, "0.9"), (60, "2.5")):
        film(alice, seconds=seconds, cost=cost)
    film(alice, status="failed", cost="0.25")
    film(alice, status="canceled", cost="0")
    order_run(FILM, alice)
    film(alice, mode="mock")

    found = seen(alice)

    runs = found.live.facts.runs
    assert (runs.done, runs.failed, runs.canceled, runs.open, runs.count) == (3, 1, 1, 1, 6)
    assert runs.total_usd == Decimal("4.15")
    assert (runs.cost_usd.least, runs.cost_usd.median, runs.cost_usd.p95) == (
        Decimal("0.5"),
        Decimal("0.9"),
        Decimal("2.5"),
    )
    assert (runs.wall_s.least, runs.wall_s.median, runs.wall_s.p95) == (10, 20, 60)
    assert runs.quote_usd == Run.objects.filter(provider_mode="live").first().quote_usd
    assert (found.mock.facts.runs.count, found.mock.facts.runs.total_usd) == (1, 0)
    assert [one.code for one in found.live.findings] == ["ESTIMATE_LOW", "COST_ABOVE_QUOTE", "STEP_DEAR"]
    assert found.mock.findings == ()


def test_a_step_that_was_mended_did_not_fail_but_its_attempts_did(alice):
    film(alice, door=[failed("CONTENT_REFUSED"), failed("JOB_LOST"), failed("JOB_LOST", usd="0.5"), {"usd": "0.1"}])
    film(alice, door=[{"usd": "0.1"}])

    found = seen(alice).live

    door = steps(found)["door"]
    assert (door.done, door.failed, door.attempts, door.retries) == (2, 0, 5, 3)
    assert list(door.failures.items()) == [("JOB_LOST", 2), ("CONTENT_REFUSED", 1)]
    assert (door.failed_attempts, door.cost_usd) == (3, Decimal("0.7"))
    assert (found.facts.runs.done, found.facts.runs.failed) == (2, 0)
    assert "STEP_FAILS" in [one.code for one in found.findings]


def test_the_shares_of_the_steps_add_up(alice):
    film(alice, door=[{"usd": "0.25"}], on=[{"usd": "0.75"}])

    found = steps(seen(alice).live)

    assert list(found) == ["door", "on", "film"]
    assert [one.cost_share for one in found.values()] == [0.25, 0.75, 0.0]
    assert [round(one.time_share, 3) for one in found.values()] == [0.333, 0.333, 0.333]
    assert [one.median_s for one in found.values()] == [10, 10, 10]


def test_the_fallback_and_what_was_taken_over_are_counted(alice):
    film(alice, door=[failed("JOB_LOST"), {"model": "another"}])
    film(alice, door=[{"usd": "0", "cost_source": "reused", "model": "another"}])

    door = steps(seen(alice).live)["door"]

    assert (door.attempts, door.retries, door.by_fallback, door.reused, door.results) == (2, 1, 1, 1, 1)


def test_what_was_chosen_is_told_from_what_was_made(alice):
    first, second, alone = (film(alice, door=[{}] * made) for made in (2, 3, 1))
    for run in (first, second, alone):
        door = run.steps.get(step_id="door")
        door.spec = {**door.spec, "candidates": 2}
        door.chosen = door.attempts.order_by("number").last()
        door.save()
    door = first.steps.get(step_id="door")
    door.chosen = door.attempts.get(number=1)
    door.save()

    found = steps(seen(alice).live)["door"]

    assert (found.results, found.choices, found.first_chosen, found.retries) == (6, 2, 1, 1)
    assert found.spec["candidates"] == 2


def test_of_several_judges_the_strictest_counts(alice):
    run = film(alice, door=[{}, {}])
    door = run.steps.get(step_id="door")
    for number, verdicts in ((1, [(0.9, True), (0.4, False)]), (2, [(0.8, True)])):
        asset = asset_of(door.attempts.get(number=number))
        for overall, passed in verdicts:
            scores = {"overall": overall, "passed": passed, "threshold": 0.7}
            Feedback.objects.create(run=run, step=door, asset=asset, kind="judge_score", rater="vlm", scores=scores)
    odd = {"overall": "fine", "passed": "yes"}
    Feedback.objects.create(run=run, step=door, kind="judge_score", rater="vlm", scores=odd)
    make_try(door, 3, role="judge", status="failed", error="JUDGE_UNAVAILABLE")

    found = steps(seen(alice).live)["door"]

    assert (found.scores.count, found.scores.passed, found.scores.passed_share) == (2, 1, 0.5)
    assert (found.scores.least, found.scores.median) == (Decimal("0.4"), Decimal("0.4"))
    assert (found.judge_failures, found.attempts, found.failed_attempts) == (1, 2, 0)
    assert steps(seen(alice).live)["on"].scores is None


def test_votes_are_counted_where_they_belong_with_the_newest_words(alice):
    run = film(alice)
    door = run.steps.get(step_id="door")
    asset = asset_of(door.attempts.get())
    for number in range(7):
        say(run, "down", f"{number} " + "too blue " * 40, step=door)
    say(run, "up", "", asset=asset)
    say(run, "up", "All of it.")

    found = seen(alice).live

    votes = steps(found)["door"].votes
    assert (votes.up, votes.down) == (1, 7)
    assert [one.text[0] for one in votes.comments] == ["6", "5", "4", "3", "2"]
    assert all(len(one.text) == 280 and one.vote == "down" for one in votes.comments)
    assert (found.facts.votes.up, found.facts.votes.comments[0].text) == (1, "All of it.")
    assert "DISLIKED" in [one.code for one in found.findings]


def say(run, vote, comment, **about):
    Feedback.objects.create(run=run, kind="rlhf_vote", rater="human", scores={"vote": vote}, comment=comment, **about)


def asset_of(attempt):
    return Asset.objects.create(
        asset_id=new_id("asset"), run_id=attempt.run_id, step_id=attempt.step_id, attempt=attempt, index=0, kind="png",
        content_type="image/png", storage_key=new_id("key"), sha256="0" * 64, size_bytes=1,
    )  # fmt: skip


def test_a_stranger_sees_none_of_it_and_staff_all(alice):
    film(alice)

    with pytest.raises(NotFound):
        seen(make_user("bob"))
    with pytest.raises(CallerUnknown):
        gather("blue-door", Caller(), days=1, now=timezone.now())
    assert seen(make_user("sam", staff=True)).live.facts.runs.count == 1


def test_older_runs_and_other_recipes_do_not_count(alice):
    film(alice)
    end(order_run(FILM.replace("blue-door", "red-door"), alice))
    Run.objects.filter(pk=film(alice).pk).update(started_at=timezone.now() - timedelta(days=3))

    assert seen(alice, days=2).live.facts.runs.count == 1


def test_only_the_newest_runs_are_looked_at(alice, monkeypatch):
    monkeypatch.setattr(evidence, "RUNS_AT_MOST", 2)
    for cost in ("1", "2"):
        film(alice, cost=cost)
    assert not seen(alice).is_cut

    film(alice, cost="4")

    assert seen(alice).is_cut
    assert seen(alice).live.facts.runs.total_usd == 6


def test_many_runs_take_as_many_queries_as_one(alice):
    film(alice, door=[failed("JOB_LOST"), {}])
    with CaptureQueriesContext(connection) as one:
        seen(alice)
    for mode in ("live", "mock", "live"):
        say(film(alice, mode=mode, door=[failed("X"), {}]), "up", "Good.")

    with CaptureQueriesContext(connection) as many:
        seen(alice)

    assert len(many) == len(one) == 10


def test_the_estimate_is_that_of_the_newest_recipe(alice):
    film(alice)
    end(order_run(FILM.replace("estimate_usd: 0.4", "estimate_usd: 0.7"), alice))

    assert seen(alice).live.facts.estimate_usd == Decimal("0.7")

    Run.objects.update(source="no recipe any more")
    assert seen(alice).live.facts.estimate_usd is None


def test_the_interface_tells_it(alice, client, check):
    run = film(alice, door=[failed("CONTENT_REFUSED")] * 3, status="failed")
    say(run, "up", "Blue!", step=run.steps.get(step_id="door"))

    answer = client.get("/api/zaps/blue-door/evidence?days=7", headers=bearer(alice, ["read"]))

    document = answer.json()
    assert answer.status_code == 200
    check("EvidenceDocument", document)
    check("StepFactsRow", document["live"]["steps"][0])
    check("FindingRow", document["live"]["findings"][0])
    assert (document["slug"], document["days"], document["truncated"], document["mock"]) == (
        "blue-door",
        7,
        False,
        None,
    )
    door = document["live"]["steps"][0]
    assert (door["stepId"], door["failed"], door["failedAttempts"]) == ("door", 1, 3)
    assert door["failures"] == [{"code": "CONTENT_REFUSED", "count": 3}]
    assert document["live"]["runs"]["costUsd"] is None
    assert document["live"]["findings"][0]["stepId"] == "door"


@pytest.mark.parametrize(("query", "status"), [("?days=0", 422), ("?days=x", 422), ("?days=367", 422), ("", 200)])
def test_days_are_held_against_their_range(query, status, alice, client):
    film(alice)

    assert client.get(f"/api/zaps/blue-door/evidence{query}", headers=bearer(alice)).status_code == status


def test_who_is_not_known_or_may_not_read_is_told_so(alice, client):
    assert client.get("/api/zaps/blue-door/evidence").status_code == 401
    assert client.get("/api/zaps/blue-door/evidence", headers=bearer(alice, ["run"])).status_code == 403
    assert client.get("/api/zaps/blue-door/evidence", headers=bearer(alice)).status_code == 404


def test_the_command_tells_a_person(alice, capsys):
    film(alice, door=[failed("JOB_LOST"), failed("JOB_LOST"), failed("JOB_LOST"), {}], seconds=95, cost="0.9")
    film(alice, mode="mock")

    assert main(["improve", "blue-door"]) == 0

    said = capsys.readouterr().out
    assert said.startswith("1 live runs: 1 done; $0.90 in all.\nA run costs $0.90, at most $0.90 (95 %)")
    assert "it takes 1 min 35 s" in said
    assert "3 JOB_LOST" in said
    assert "\n1 mock runs: 1 done; $0.00 in all.\n" in said
    assert "budget.estimate_usd is 0.4 USD, and a run costs 0.9 USD (median).\n  Set budget.estimate_usd to 0.9" in said


def test_the_command_takes_a_file_and_prints_one_document(alice, tmp_path, capsys):
    film(alice)
    (tmp_path / "Zap.md").write_text(FILM)

    assert main(["improve", str(tmp_path), "--since", "7", "--json"]) == 0

    assert json.loads(capsys.readouterr().out)["live"]["runs"]["done"] == 1
    assert main(["improve", "no-such-film", "--json"]) == 2
