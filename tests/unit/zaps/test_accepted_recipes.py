from decimal import Decimal

import pytest

from providers.registry import PROVIDERS
from zaps.recipe import parse
from zaps.recipe.schema import Audio, FirstFrame, Ref, Repeat, Target

from .planning import Willing
from .texts import PROMPTS, SMALL, WORLD_CUP, changed


def test_the_whole_grammar_is_read():
    recipe = parse(WORLD_CUP, PROMPTS)

    assert recipe.slug == "big-entrance"
    assert (recipe.cap_usd, recipe.estimate_usd) == (Decimal(15), Decimal("7.5"))
    assert recipe.inputs["NO"].required
    assert [step.id for step in recipe.steps] == ["sketch", "sheet", "opening", "extend", "finalize"]
    sheet, opening, extend, finalize = recipe.steps[1:]
    assert (sheet.prompt, sheet.prompt_file) == ("Four views of {NAME}.\n", "prompts/sheet.md")
    assert opening.judge.criteria == ("likeness", "pace", "light")
    assert (opening.candidates, opening.rlhf) == (1, "optional")
    assert extend.repeat == Repeat(min=0, max=64, default=0)
    assert extend.first_frame == FirstFrame()
    assert finalize.inputs[1] == Ref(target=Target.STEP, name="extend", every=True)
    assert finalize.audio == Audio(mix="keep")


@pytest.mark.parametrize(
    "text",
    [
        SMALL.replace("\n", "\r\n"),
        "\ufeff" + SMALL,
        "\n\n  \n" + SMALL,
        "\ufeff\r\n" + SMALL.replace("\n", "\r\n"),
        changed(SMALL, "version: 2", 'version: "2"'),
        changed(SMALL, "version: 2", "version: '1'"),
        changed(SMALL, "version: 2", "version: 1"),
        SMALL.replace("---\n", "---  \n"),
        SMALL.rstrip(),
        SMALL + "prose\n---\nmore prose\n",
    ],
)
def test_ways_of_writing_a_file_that_mean_the_same(text):
    assert parse(text, {}).steps == parse(SMALL, {}).steps


def test_places_are_counted_in_the_file_that_was_sent():
    recipe = parse("\ufeff\r\n\r\n" + SMALL.replace("\n", "\r\n"), {})

    assert recipe.where["steps[1].duration_s"] == (18, 17)


def test_words_that_other_readers_of_yaml_turn_into_something_else_stay_words():
    text = changed(
        SMALL, "  NAME: {type: string}", "  NO: {type: select, required: yes, options: [on, 010, 2024-01-01, 1:30]}"
    )
    text = changed(text, "{NAME}", "{NO}")

    spec = parse(text, {}).inputs["NO"]

    assert spec.required is True
    assert spec.options == ("on", "010", "2024-01-01", "1:30")


def test_a_question_mark_needs_no_quotes():
    text = changed(SMALL, "{type: string}", "{type: string, label: Who is it?}")

    assert parse(text, {}).inputs["NAME"].label == "Who is it?"


def test_what_other_tools_write_is_kept():
    tail = "compiled_from_run_id: run_1\nlineage: {source_zap: a, source_version: 2}\nx_source: studio\n"
    text = changed(SMALL, "version: 2\n", "version: 2\n" + tail)
    text = changed(text, "    duration_s: 5\n", "    duration_s: 5\n    x_note: [1, true, null, 0.5]\n")
    text = changed(text, "{type: string}", "{type: string, x_widget: wide}")

    recipe = parse(text, {})

    assert recipe.extra == {
        "x_source": "studio",
        "lineage": {"source_zap": "a", "source_version": 2},
        "compiled_from_run_id": "run_1",
    }
    assert recipe.steps[1].extra == {"x_note": [1, True, None, 0.5]}


def test_lower_case_braces_are_no_variables():
    text = changed(SMALL, "A picture of {NAME}.", "'{name} {} {A-B} {NAME}'")

    assert parse(text, {}).steps[0].prompt == "{name} {} {A-B} {NAME}"


def test_a_name_of_an_input_is_a_reference_too():
    text = changed(SMALL, "  NAME: {type: string}", "  NAME: {type: string}\n  face: {type: image}")
    text = changed(text, "reference_images: [still]", "reference_images: [still, face, user.face]")

    face = Ref(target=Target.INPUT, name="face")
    assert parse(text, {}).steps[1].reference_images == (Ref(target=Target.STEP, name="still"), face, face)


def test_known_providers_need_not_be_installed_to_be_named():
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    provider: vertex\n")

    assert parse(text, {}).steps[0].provider == "vertex"


def test_a_provider_of_a_third_party_can_be_named_where_it_is_installed(monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Willing("acme"))
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    provider: acme\n")

    assert parse(text, {}).steps[0].provider == "acme"


def test_a_repeated_step_may_stand_beside_an_id_that_its_largest_count_does_not_reach():
    more = "  - id: more\n    kind: video.extend\n    duration_s: 5\n    repeat: {max: 3}\n"
    text = changed(SMALL, "  - id: film\n", more + "  - id: more_4\n    kind: image.gen\n  - id: film\n")

    assert parse(text, {}).steps[3].id == "more_4"
