"""A run that branches off another one."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.caller import Caller, CallerRefused, Scope
from core.errors import BadInput, NotFound, OverBudget
from runs import control
from runs.order import Mode, Order, draft, place
from tests.integration.runs.life import USD, attempts_of, go_on, states, step_of

pytestmark = pytest.mark.django_db(transaction=True)

RECIPE = """---
zap: two-doors
version: 1
description: A door, and another one.
inputs:
  NAME: {type: string, required: true}
  COLOUR: {type: string, required: true}
  NOTE: {type: string}
defaults: {provider: fal}
budget: {estimate_usd: 0.1, cap_usd: 1}
steps:
  - {id: door, kind: image.gen, model: fal-ai/flux/dev, prompt: "A {COLOUR} door"}
  - {id: name, kind: image.gen, model: fal-ai/flux/dev, prompt: "A sign for {NAME}"}
  - {id: gate, kind: image.gen, model: fal-ai/flux/dev, prompt: "A gate", rlhf: true}
---
Two doors.
"""

MORE = """\
  - {id: clip, kind: video.gen, prompt: It opens, duration_s: 5}
  - id: more
    kind: video.extend
    duration_s: 5
    repeat: {min: 0, max: 4, default: 0}
    extend: {mode: chain}
    first_frame: {from: prev.last_frame}
    prompt: It opens further.
  - {id: film, kind: stitch, inputs: [clip, more.*]}
---
Two doors.
"""


@pytest.fixture
def alice(django_user_model):
    return caller(django_user_model, "alice")


def caller(model, name, scopes=frozenset(Scope)):
    user = model.objects.create(username=name)
    return Caller(user=user, principal_id=f"user:{user.pk}", scopes=scopes)


def order(who, source=RECIPE, **fields):
    given = {"NAME": "Eva", "COLOUR": "blue", "NOTE": "x"}
    wanted = Order(source=source, inputs=given, mode=fields.pop("mode", Mode.LIVE), **fields)
    return place(draft(wanted, who, today=datetime.now(UTC).date()), who)


@pytest.fixture
def parent(bells, fal, alice):
    """A live run that is done: three pictures, one of them approved by a person."""
    run = order(alice)
    go_on(bells)
    control.approve_run(run.run_id, actor="eva")
    assert states(run)[0] == "done"
    return run


def sources(run):
    return {one.step.step_id: one.cost_source for one in run.attempts.select_related("step")}


def test_what_does_not_change_is_taken_over_and_costs_nothing(parent, bells, fal, alice):
    bought = len(fal.bought())

    fork = control.fork_run(parent.run_id, caller=alice, inputs={"NAME": "Bea"})
    go_on(bells)

    assert states(fork) == ("done", dict.fromkeys(("door", "name", "gate"), "done"))
    assert sources(fork) == {"door": "reused", "name": "derived", "gate": "reused"}
    assert len(fal.bought()) == bought + 1
    assert (fork.cost_usd, fork.reserved_usd) == (USD, 0)
    assert fork.parent == parent
    assert (fork.inputs["NAME"], fork.inputs["COLOUR"]) == ("Bea", "blue")


def test_the_other_run_stays_as_it_is(parent, bells, alice):
    before = (parent.revision, parent.cost_usd)

    control.fork_run(parent.run_id, caller=alice, inputs={"NAME": "Bea"})
    go_on(bells)

    assert states(parent)[0] == "done"
    assert (parent.revision, parent.cost_usd) == before


def test_without_changes_nothing_is_bought(parent, bells, fal, alice):
    bought = len(fal.bought())

    fork = control.fork_run(parent.run_id, caller=alice)
    go_on(bells)

    assert states(fork)[0] == "done"
    assert len(fal.bought()) == bought
    assert fork.cost_usd == 0


def test_the_branch_of_a_branch_takes_over_what_the_first_one_made(parent, bells, fal, alice):
    first = control.fork_run(parent.run_id, caller=alice, inputs={"NAME": "Bea"})
    go_on(bells)
    bought = len(fal.bought())

    second = control.fork_run(first.run_id, caller=alice)
    go_on(bells)

    assert states(second)[0] == "done"
    assert len(fal.bought()) == bought


def test_what_nobody_approved_is_not_taken_over(bells, fal, alice):
    run = order(alice)
    go_on(bells)
    assert states(run)[1]["gate"] == "waiting"

    fork = control.fork_run(run.run_id, caller=alice)
    go_on(bells)

    assert states(fork)[1] == {"door": "done", "name": "done", "gate": "waiting"}
    assert sources(fork) == {"door": "reused", "name": "reused", "gate": "derived"}


def test_a_live_branch_of_a_mock_run_takes_nothing_over(bells, fal, alice):
    run = order(alice, mode=Mode.MOCK)
    go_on(bells)
    control.approve_run(run.run_id, actor="eva")

    fork = control.fork_run(run.run_id, caller=alice, mode=Mode.LIVE)
    go_on(bells)

    assert set(sources(fork).values()) == {"derived"}
    assert len(fal.bought()) == 3


def test_an_input_can_be_taken_away(parent, bells, alice):
    fork = control.fork_run(parent.run_id, caller=alice, inputs={"NOTE": None})

    assert fork.inputs == {"NAME": "Eva", "COLOUR": "blue"}


def test_an_input_that_the_recipe_does_not_have_is_refused(parent, alice):
    with pytest.raises(BadInput):
        control.fork_run(parent.run_id, caller=alice, inputs={"NOBODY": "x"})
    with pytest.raises(NotFound):
        control.fork_run("run_none", caller=alice)


def test_a_live_branch_needs_the_right_to_spend(parent, django_user_model):
    carl = caller(django_user_model, "carl", frozenset({Scope.RUN}))

    with pytest.raises(CallerRefused):
        control.fork_run(parent.run_id, caller=carl)


def test_its_own_cap_holds(parent, alice):
    with pytest.raises(OverBudget):
        control.fork_run(parent.run_id, caller=alice, max_usd=Decimal("0.03"))


def test_it_is_ordered_as_the_other_one_was(bells, alice):
    longer = RECIPE.replace("---\nTwo doors.", MORE)
    run = order(alice, source=longer, mode=Mode.MOCK, extend_count=2, provider="mock")

    fork = control.fork_run(run.run_id, caller=alice)

    assert fork.options == {"extendCount": 2, "provider": "mock"}
    assert list(fork.steps.values_list("step_id", flat=True)) == list(run.steps.values_list("step_id", flat=True))
    other = control.fork_run(run.run_id, caller=alice, extend_count=1)
    assert other.steps.count() == run.steps.count() - 1


def test_the_key_of_what_was_taken_over_is_that_of_the_original(parent, bells, alice):
    fork = control.fork_run(parent.run_id, caller=alice)
    go_on(bells)

    (mine,), (theirs,) = attempts_of(fork, "door"), attempts_of(parent, "door")

    assert mine.content_key == theirs.content_key
    assert (mine.actual_usd, mine.reserved_usd, mine.quote_usd) == (0, 0, 0)
    assert step_of(fork, "door").chosen == mine
