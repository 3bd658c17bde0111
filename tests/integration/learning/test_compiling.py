"""A finished run as a recipe."""

from decimal import Decimal

import pytest

from runs.learning.compiling import RunNotDone, compile_and_save, compile_run
from runs.models import Run
from tests.integration.learning.rows import end, order_run, plan
from tests.integration.people import make_user
from zaps.bundled import bundled
from zaps.models import Zap
from zaps.recipe import parse

pytestmark = pytest.mark.django_db

FILM = """---
# A film about a door.
zap: blue-door
version: 2
description: A door opens.   # slowly
inputs:
  NAME: {type: string, required: true}
  PHOTO: {type: image}
defaults:
  provider: fal
  models: {video.gen: fal-ai/kling-video/v2.1/pro/image-to-video}
budget: {estimate_usd: 0.1, cap_usd: 9}
steps:
  - {id: door, kind: image.gen, model: fal-ai/flux/dev, prompt: "A blue door for {NAME}"}

  # It must creak.
  - id: opens
    kind: video.gen
    duration_s: 5
    inputs: [door]
    prompt: It opens.
  - id: on
    kind: video.extend
    duration_s: 5
    model: fal-ai/kling-video/v2.1/pro/image-to-video
    repeat:
      max: 4
      default: 2
    prompt: It goes on.
  - {id: film, kind: stitch, inputs: [opens, on.*]}
---
A door, and then what is behind it.
"""
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"


@pytest.fixture
def run(alice):
    return order_run(FILM, alice, inputs={"NAME": "Ada"}, extend_count=1)


def again(compiled, run, mode="plan"):
    """The plan of the compiled recipe, with the inputs of the run."""
    return plan(compiled.source, run.owner, prompts=compiled.prompts, inputs=run.inputs, mode=mode).plan


def step(compiled, step_id):
    return next(one for one in compiled.recipe.steps if one.id == step_id)


def test_the_author_can_still_read_the_recipe(run):
    compiled = compile_run(end(run, door=[{"usd": "0.02", "seed": 7}], opens=[{"usd": "0.4"}], on_1=[{"usd": "0.4"}]))

    assert (
        compiled.source
        == f"""---
# Compiled from {run.run_id}, a live run: 4 attempts, 0.82 USD in all.
# A film about a door.
zap: blue-door-2
version: 2
description: A door opens.   # slowly
compiled_from_run_id: {run.run_id}
lineage: {{source_zap: blue-door, source_version: 0}}
inputs:
  NAME: {{type: string, required: true}}
  PHOTO: {{type: image}}
defaults:
  provider: fal
  models: {{video.gen: fal-ai/kling-video/v2.1/pro/image-to-video}}
budget: {{estimate_usd: 0.82, cap_usd: 9}}
steps:
  - {{id: door, kind: image.gen, model: fal-ai/flux/dev, prompt: "A blue door for {{NAME}}", \
provider: fal, x_run: {{cost_usd: 0.02, attempts: 1, seed: 7}}}}

  # It must creak.
  - id: opens
    kind: video.gen
    provider: fal
    model: {KLING}
    x_run: {{cost_usd: 0.4, attempts: 1}}
    duration_s: 5
    inputs: [door]
    prompt: It opens.
  - id: on
    kind: video.extend
    provider: fal
    x_run: {{on_1: {{cost_usd: 0.4, attempts: 1}}}}
    duration_s: 5
    model: {KLING}
    repeat: {{min: 1, max: 1, default: 1}}
    prompt: It goes on.
  - {{id: film, kind: stitch, inputs: [opens, on.*], x_run: {{cost_usd: 0, attempts: 1}}}}
---
A door, and then what is behind it.
"""
    )


def test_the_compiled_recipe_plans_what_was_run(run):
    compiled = compile_run(end(run))

    made = again(compiled, run, mode="live")

    before = [(one.step_id, one.spec["provider"], one.spec["model"], one.spec["params"]) for one in run.steps.all()]
    assert [(one.step_id, one.provider, one.model, one.params) for one in made.steps] == before
    assert made.quote_usd == run.quote_usd == compiled.recipe.estimate_usd


def test_the_estimate_is_one_clean_pass_and_the_cap_leaves_a_quarter_more(run):
    failed = {"status": "failed", "error": "PROVIDER_FAILED", "usd": "3"}

    compiled = compile_run(end(run, door=[failed, {"usd": "8.011"}], opens=[{"usd": "0"}], on_1=[{"usd": "0"}]))

    assert compiled.recipe.estimate_usd == Decimal("8.011")
    assert compiled.recipe.cap_usd == Decimal("10.02")
    assert (compiled.cost_usd, compiled.attempts) == (Decimal("11.011"), 5)
    assert step(compiled, "door").extra["x_run"] == {"cost_usd": 11.011, "attempts": 2}


def test_what_a_result_was_chosen_from_belongs_to_its_price(run):
    first = [{"usd": "0.1"}, {"usd": "0.2"}, {"role": "judge", "usd": "0.01", "provider": "local"}]
    again = [{**one, "round": 2} for one in first]

    compiled = compile_run(end(run, door=[*first, *again], opens=[{"usd": "0"}], on_1=[{"usd": "0"}]))

    assert compiled.recipe.estimate_usd == Decimal("0.31")
    assert compiled.cost_usd == Decimal("0.62")
    assert compiled.attempts == 4 + 3


def test_a_result_that_was_taken_over_is_priced_by_its_quote(run):
    quote = Decimal(run.steps.get(step_id="opens").spec["quote_usd"])

    compiled = compile_run(
        end(run, door=[{"usd": "0"}], opens=[{"usd": "0", "cost_source": "reused"}], on_1=[{"usd": "0"}])
    )

    assert compiled.recipe.estimate_usd == quote > 0
    assert step(compiled, "opens").extra["x_run"] == {"cost_usd": 0, "attempts": 0, "reused": True}


def test_a_fallback_and_its_first_choice_change_places(alice):
    text = FILM.replace(
        "    prompt: It opens.", "    retry: {max: 1, fallback_model: fal-ai/kling-video/v2.5/x}\n    prompt: It opens."
    )
    run = order_run(text, alice, mode="mock", inputs={"NAME": "Ada"})
    end(run, opens=[{"status": "failed"}, {"provider": "fal", "model": "fal-ai/kling-video/v2.5/x"}])
    opens = run.steps.get(step_id="opens")
    opens.spec = {**opens.spec, "provider": "fal", "model": KLING}
    opens.save()

    made = step(compile_run(run), "opens")

    assert (made.provider, made.model) == ("fal", "fal-ai/kling-video/v2.5/x")
    assert (made.retry.max, made.retry.fallback_provider, made.retry.fallback_model) == (1, "fal", KLING)


def test_where_the_copies_of_a_step_differ_none_is_pinned(run, alice):
    run = order_run(FILM, alice, inputs={"NAME": "Ada"})

    made = step(compile_run(end(run, on_2=[{"model": "another"}])), "on")

    assert (made.provider, made.model) == (None, KLING)
    assert [fact["model"] for fact in made.extra["x_run"].values()] == [KLING, "another"]


def test_a_step_that_was_repeated_no_times_is_fixed_to_none(alice):
    run = end(order_run(FILM, alice, inputs={"NAME": "Ada"}, extend_count=0))

    compiled = compile_run(run)

    assert "on_1" not in {one.step_id for one in again(compiled, run).steps}
    assert step(compiled, "on").repeat.max == 0


def test_a_run_that_the_mock_made_pins_nobody_and_knows_no_price(alice):
    run = end(order_run(FILM, alice, mode="mock", inputs={"NAME": "Ada"}))

    recipe = compile_run(run).recipe

    assert [one.provider for one in recipe.steps] == [None] * 4
    assert (recipe.estimate_usd, recipe.cap_usd) == (Decimal("0.1"), Decimal(9))


def test_no_value_of_an_input_gets_into_the_recipe(alice):
    inputs = {"NAME": "Ada Lovelace", "PHOTO": "https://example.com/secret-face.png"}
    run = end(order_run(FILM, alice, mode="mock", inputs=inputs))

    compiled = compile_run(run)

    assert "Lovelace" not in compiled.source
    assert "secret-face" not in compiled.source
    assert set(compiled.recipe.inputs) == {"NAME", "PHOTO"}


def test_facts_that_do_not_fit_are_left_out(alice):
    steps = "".join(f"  - {{id: s{n}, kind: image.gen, x_note: '{'n' * 600}'}}\n" for n in range(99))
    text = (
        f"---\nzap: long-one\nversion: 2\ndescription: x\nbudget: {{estimate_usd: 0, cap_usd: 9}}\nsteps:\n{steps}---\n"
    )
    run = end(order_run(text, alice, mode="mock"))

    compiled = compile_run(run)

    assert "x_run" not in compiled.source
    assert compiled.recipe.extra["compiled_from_run_id"] == run.run_id


@pytest.mark.parametrize("status", ["failed", "canceled", "running"])
def test_only_a_run_that_is_done_becomes_a_recipe(run, status):
    Run.objects.filter(pk=run.pk).update(status=status, finished_at=run.started_at)
    run.refresh_from_db()

    with pytest.raises(RunNotDone) as refused:
        compile_run(run)

    assert refused.value.status == 409
    assert refused.value.extra == {"runStatus": status}


def test_it_is_saved_as_a_draft_of_the_caller_under_a_fresh_slug(run, alice):
    Zap.objects.create(slug="blue-door-2", status="draft", estimate_usd=0, author=make_user("bob"))

    compiled = compile_and_save(end(run), alice)

    zap = Zap.objects.get(slug="blue-door-3")
    assert (zap.status, zap.version, zap.author, zap.compiled_from_run_id) == ("draft", 0, alice, run.run_id)
    assert zap.source == compiled.source
    assert compiled.is_new


def test_to_save_it_twice_is_to_save_it_once(run, alice):
    first = compile_and_save(end(run), alice)

    again = compile_and_save(run, alice)

    assert (again.zap, again.is_new) == (first.zap, False)
    assert Zap.objects.count() == 1


def test_a_draft_that_its_author_changed_is_left_alone(run, alice):
    first = compile_and_save(end(run), alice)
    Zap.objects.filter(pk=first.zap.pk).update(source="mine", content_hash="0" * 64)

    again = compile_and_save(run, alice)

    assert again.zap.slug == "blue-door-3"
    assert Zap.objects.get(pk=first.zap.pk).source == "mine"


def test_a_run_of_a_compiled_recipe_is_compiled_again(run, alice):
    first = compile_run(end(run))
    second = end(order_run(first.source, alice, inputs={"NAME": "Ada"}))

    compiled = compile_run(second)

    assert compiled.slug == "blue-door-2-2"
    assert compiled.recipe.extra["lineage"] == {"source_zap": "blue-door-2", "source_version": 0}
    assert compiled.recipe.extra["compiled_from_run_id"] == second.run_id
    assert compiled.source.count("lineage") == 1


def test_the_longest_slug_has_room_for_a_number(alice):
    slug = "a" * 63 + "b"
    run = end(order_run(FILM.replace("blue-door", slug), alice, inputs={"NAME": "Ada"}))

    assert compile_run(run).slug == "a" * 62 + "-2"


VALUES = {
    "hello-film": {},
    "lost-sock": {"SOCK": "grey", "LAST_SEEN": "on the dog"},
    "museum-of-mondays": {"EXHIBIT": "a mug", "CURATOR": "Empty, alas.", "ERA": "High Monday"},
}


@pytest.mark.parametrize("mode", ["mock", "live"])
@pytest.mark.parametrize("one", list(bundled()), ids=lambda one: one.slug)
def test_every_bundled_recipe_comes_back_from_its_run(one, mode, alice):
    inputs = VALUES.get(one.slug, {})
    run = end(order_run(one.source, alice, prompts=one.prompts, inputs=inputs, mode=mode))

    compiled = compile_run(run)

    before, after = parse(one.source, one.prompts), compiled.recipe
    assert (after.inputs, after.output, len(after.steps)) == (before.inputs, before.output, len(before.steps))
    assert [made.step_id for made in again(compiled, run, mode=mode).steps] == [
        planned.step_id for planned in run.steps.order_by("position")
    ]
    assert {line for line in one.source.splitlines() if line.startswith("#")} <= set(compiled.source.splitlines())


WHOLE = """---
zap: every-field
version: 2
description: >
  Nearly everything that can be said:
  in one recipe.
inputs:
  STYLE: {type: select, options: [noir, anime]}
  LOGO: {type: image}
  FACE: {type: image, required: true}
defaults: {provider: fal, aspect: "16:9", on_unknown: fail}
budget:
  cap_usd: 40
  estimate_usd: 1
steps:
- id: face
  kind: image.edit
  model: fal-ai/flux/dev
  aspect: 16:9
  inputs: [user.FACE]
  prompt: 'A face, "lit" from the left: {STYLE}'
  params: {seed: 42, strength: 0.8}
- id: logo
  kind: image.edit
  model: fal-ai/flux/dev
  when: {LOGO: given}
  inputs: [LOGO]
  prompt: Clean.
- {"id": "looks", "kind": "image.gen", "tier": "draft", "matrix": {"HOUR": ["dawn", "no", "1"]},
   "prompt": "A street at {HOUR}", "candidates": 2, "judge": {"criteria": ["light"], "threshold": 0.6},}
- id: clip
  kind: video.gen
  tier: final
  duration_s: 5
  reference_images: [face]
  needs: [looks.*]
  retry:
    max: 2
    fallback_model: fal-ai/kling-video/v2.1/standard/image-to-video
  rlhf: true
  gate: {timeout_s: 60}
  prompt: |
    It moves.

    # no comment
- id: on   # and on
  kind: video.extend
  duration_s: 5
  inputs: [clip]
  extend: {mode: anchored}
  first_frame: {from: prev.last_frame, upscale: 2x}
  repeat: {default: 2}
  prompt: It goes on.
- id: film
  kind: stitch
  tier: draft
  inputs: [clip, on.*]
  rlhf: optional
publish:
  slug: every-field
  visibility: unlisted
x_mine: {a: '1', b: NO, c: 1}
---
"""
STANDARD = "fal-ai/kling-video/v2.1/standard/image-to-video"
FACE = "https://example.com/face.png"


@pytest.mark.parametrize("inputs", [{"FACE": FACE}, {"FACE": FACE, "LOGO": FACE, "STYLE": "noir"}])
@pytest.mark.parametrize("extend", [None, 0, 3])
def test_every_field_comes_back_from_a_run(inputs, extend, alice):
    run = end(order_run(WHOLE, alice, inputs=inputs, extend_count=extend))

    compiled = compile_run(run)

    specs = {one.step_id: one.spec for one in run.steps.all()}
    made = {one.step_id: one.to_json() for one in again(compiled, run, mode="live").steps}
    assert made == specs
    assert compiled.recipe.extra["x_mine"] == {"a": "1", "b": "NO", "c": 1}
    assert compiled.recipe.publish.slug == compiled.slug
    assert "  # and on" in compiled.source
    assert "tier: draft" in compiled.source.split("id: film")[1]


def test_after_a_fallback_the_whole_recipe_can_be_planned_with_it(alice):
    run = end(
        order_run(WHOLE, alice, inputs={"FACE": FACE}),
        clip=[{"status": "failed", "error": "JOB_LOST"}, {"model": STANDARD}],
    )

    made = next(one for one in again(compile_run(run), run, mode="live").steps if one.step_id == "clip")

    assert (made.model, made.retry.fallback_provider, made.retry.fallback_model) == (STANDARD, "fal", KLING)
