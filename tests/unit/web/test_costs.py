"""What a button would hold of somebody's money: the sum of the steps that it begins again."""

from web.costs import to_rerun, to_resume, to_retry


def steps(**statuses):
    """`door` (1 dollar), `opens` after it (2), `film` after that (4), and `tune` (8), which hangs on nothing."""
    parents = {"door": [], "opens": ["door"], "film": ["opens"], "tune": []}
    prices = {"door": 1, "opens": 2, "film": 4, "tune": 8}
    return [
        {
            "stepId": name,
            "parents": parents[name],
            "priceQuoteUsd": prices[name],
            "status": statuses.get(name, "done"),
            "waitReason": "budget" if statuses.get(name) == "waiting" else None,
        }
        for name in parents
    ]


def test_a_rerun_holds_the_step_and_all_that_follows_but_nothing_beside():
    run = steps()

    assert to_rerun(run, run[1]) == 6
    assert to_rerun(run, run[3]) == 8


def test_a_rerun_takes_up_what_had_stopped():
    run = steps(tune="canceled")

    assert to_rerun(run, run[2]) == 12


def test_a_retry_of_a_failure_takes_up_what_stopped_because_of_it():
    run = steps(opens="failed", film="skipped")

    assert to_retry(run, run[1]) == 6


def test_a_retry_at_a_gate_holds_that_step_alone_for_the_others_hold_theirs():
    run = steps(opens="waiting", film="queued")

    assert to_retry(run, run[1]) == 2
    assert to_rerun(run, run[0]) == 3


def test_going_on_holds_what_stopped_and_what_waits_for_money():
    assert to_resume(steps(opens="waiting", film="queued")) == 2
    assert to_resume(steps(door="failed", opens="skipped", film="skipped", tune="canceled")) == 15
    assert to_resume(steps()) == 0
