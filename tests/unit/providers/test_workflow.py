"""What a workflow may be, what is refused at plan time, and what goes where in its graph."""

import copy
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.comfyui import ComfyUI
from providers.contract import Generation, Media
from providers.workflow import WorkflowInvalid, read

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "tiled": False, "positive": ["6", 0]}},
    "5": {"class_type": "Size", "inputs": {"width": 512, "height": 512}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "placeholder"}},
    "10": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "11": {"class_type": "LoadImage", "inputs": {"image": "b.png"}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
SLOTS = {
    "prompt": ["6", "text"],
    "seed": ["3", "seed"],
    "steps": ["3", "steps"],
    "tiled": ["3", "tiled"],
    "width": ["5", "width"],
    "height": ["5", "height"],
}
DOCUMENT = {"workflow": GRAPH, "slots": SLOTS}
PICTURE = Media(content_type="image/png", read=b"1")
URL = "http://gpu.internal:8188"


def workflow(**changes):
    return read({**DOCUMENT, **changes}, "portrait")


def with_slots(**slots):
    return workflow(slots={**SLOTS, **slots})


def still(**changes):
    return Generation(**{"capability": "image.gen", "model": "portrait", "prompt": "p", **changes})


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "no JSON object"),
        ({}, "no graph"),
        ({"workflow": {}, "slots": SLOTS}, "no graph"),
        ({"workflow": {"nodes": [], "links": []}, "slots": {}}, r"Export \(API\)"),
        ({"workflow": {"6": {"inputs": {}}}, "slots": {}}, "Node 6"),
        ({"workflow": {6: {"class_type": "A", "inputs": {}}}, "slots": {}}, "quote"),
        ({"workflow": GRAPH}, "no `slots`"),
        ({"workflow": GRAPH, "slots": {"prompt": "6.text"}}, "word: \\[node, input\\]"),
        ({"workflow": GRAPH, "slots": {"prompt": []}}, "word: \\[node, input\\]"),
        ({"workflow": GRAPH, "slots": {"prompt": ["6", "text", 0]}}, "word: \\[node, input\\]"),
        ({"workflow": GRAPH, "slots": {"prompt": ["6", "words"]}}, "6.words, which is no input"),
        ({"workflow": GRAPH, "slots": {"prompt": ["60", "text"]}}, "60.text, which is no input"),
        ({"workflow": GRAPH, "slots": {"prompt": ["3", "positive"]}}, "which another node feeds"),
        ({"workflow": GRAPH, "slots": {"workflow": ["6", "text"]}}, "The slot workflow"),
        ({"workflow": GRAPH, "slots": {"width": ["5", "width"]}}, "only work together"),
        ({"workflow": GRAPH, "slots": {"frames": ["3", "steps"]}}, "needs `fps`"),
        ({"workflow": GRAPH, "slots": {"image_2": ["10", "image"]}}, "without a gap"),
        ({**DOCUMENT, "colour": "red"}, "mean nothing: colour"),
        ({**DOCUMENT, "fps": "16"}, "`fps` is no whole number"),
        ({**DOCUMENT, "gpu_s": -1}, "`gpu_s` is no whole number"),
        ({**DOCUMENT, "makes": "image.gen"}, "no list of step kinds"),
        ({**DOCUMENT, "sizes": {"16:9": [1344]}}, "width, height"),
        ({**DOCUMENT, "sizes": {"16:9": [1344, 8]}}, "from 16 to 16384"),
        ({**DOCUMENT, "sizes": []}, "width, height"),
    ],
)
def test_what_is_no_workflow_is_refused_with_a_sentence(document, sentence):
    with pytest.raises(WorkflowInvalid, match=sentence):
        read(document, "portrait")


@pytest.mark.parametrize(
    ("made", "generation"),
    [
        (workflow(), still(aspect="16:9", params={"seed": 4, "steps": 3, "tiled": True, "mock": {}})),
        (workflow(makes=["image.gen"]), still()),
        (with_slots(image=["10", "image"]), still(first_frame=PICTURE, images=(PICTURE, PICTURE))),
        (
            with_slots(image=["10", "image"], image_2=["11", "image"]),
            still(first_frame=PICTURE, images=(PICTURE,)),
        ),
        (workflow(slots={"image": ["10", "image"]}), still(prompt="", images=(PICTURE,), aspect="9:16")),
        (workflow(slots={}), still(capability="video.upscale", prompt="", duration_s=Decimal(5))),
        (workflow(sizes={"21:9": [1680, 720]}), still(aspect="21:9")),
    ],
)
def test_what_a_workflow_can_do_is_let_through(made, generation):
    assert made.check(generation) == []


@pytest.mark.parametrize(
    ("made", "generation", "problem"),
    [
        (workflow(makes=["image.edit"]), still(), ("model", "portrait does not do image.gen.")),
        (workflow(), still(prompt=" "), ("prompt", "portrait needs a prompt.")),
        (workflow(slots={}), still(), ("prompt", "portrait takes no prompt; leave it out.")),
        (
            workflow(),
            still(images=(PICTURE,)),
            ("reference_images", "portrait takes no picture; choose another workflow, or leave it out."),
        ),
        (with_slots(image=["10", "image"]), still(), ("reference_images", "portrait takes 1 picture, not 0.")),
        (
            with_slots(image=["10", "image"], image_2=["11", "image"]),
            still(images=(PICTURE,)),
            ("reference_images", "portrait takes 2 pictures, not 1."),
        ),
        (
            workflow(),
            still(videos=(PICTURE,)),
            ("reference_images", "portrait takes no clip; choose another workflow, or leave it out."),
        ),
        (workflow(), still(aspect="7:3"), ("aspect", "portrait makes 1:1, 4:3, 3:4, 16:9, 9:16, not 7:3.")),
        (
            workflow(slots={"prompt": ["6", "text"]}),
            still(aspect="1:1"),
            ("aspect", "portrait chooses the shape itself; it cannot be asked for one."),
        ),
        (
            workflow(),
            still(capability="video.gen", duration_s=Decimal(5)),
            ("duration_s", "portrait has no slot for a duration: give it `duration` or `frames`."),
        ),
        (
            workflow(),
            still(params={"cfg": 2}),
            ("params.cfg", "portrait has no such slot to fill; it has: seed, steps, tiled."),
        ),
        (
            workflow(),
            still(params={"width": 64}),
            ("params.width", "portrait has no such slot to fill; it has: seed, steps, tiled."),
        ),
        (workflow(), still(params={"steps": "many"}), ("params.steps", "portrait wants a number for steps.")),
        (workflow(), still(params={"steps": [["6", 0]]}), ("params.steps", "portrait wants a number for steps.")),
        (workflow(), still(params={"tiled": 1}), ("params.tiled", "portrait wants true or false for tiled.")),
        (workflow(), still(params={"seed": True}), ("params.seed", "portrait wants a number for seed.")),
    ],
)
def test_what_it_cannot_do_is_refused_by_the_field_s_name(made, generation, problem):
    assert made.check(generation)[:1] == [problem]


def test_every_place_of_a_slot_is_filled():
    made = workflow(slots={"seed": [["3", "seed"], ["5", "width"]]})

    graph = made.filled(still(prompt=""), [], 9)

    assert (graph["3"]["inputs"]["seed"], graph["5"]["inputs"]["width"]) == (9, 9)


def test_files_go_into_their_slots_in_order():
    made = with_slots(image=["11", "image"], image_2=["10", "image"])

    graph = made.filled(still(first_frame=PICTURE, images=(PICTURE,)), ["first.png", "second.png"], 1)

    assert (graph["11"]["inputs"]["image"], graph["10"]["inputs"]["image"]) == ("first.png", "second.png")


@pytest.mark.parametrize(("seconds", "frames"), [("5", 81), ("0.5", 9), ("4.2", 68)])
def test_a_duration_becomes_one_frame_more_than_fit_into_it(seconds, frames):
    made = workflow(slots={"frames": ["3", "steps"], "duration": ["3", "seed"]}, fps=16)

    inputs = made.filled(still(prompt="", duration_s=Decimal(seconds)), [], 1)["3"]["inputs"]

    assert (inputs["steps"], inputs["seed"]) == (frames, float(seconds))


def test_a_seed_that_is_too_long_for_a_recipe_s_number_stands_there_as_text_and_is_replaced_by_one():
    graph = {**GRAPH, "3": {"class_type": "KSampler", "inputs": {"seed": "18446744073709551615"}}}
    made = read({"workflow": graph, "slots": {"seed": ["3", "seed"]}}, "x")
    asked = still(prompt="", params={"seed": 7})

    assert made.check(asked) == []
    assert made.filled(asked, [], 1)["3"]["inputs"]["seed"] == 7


@given(prompt=st.text(), seed=st.integers(0, 2**48))
def test_whatever_is_written_stays_in_its_place(prompt, seed):
    before = copy.deepcopy(GRAPH)

    graph = workflow().filled(still(prompt=prompt), [], seed)

    expected = copy.deepcopy(GRAPH)
    expected["6"]["inputs"]["text"], expected["3"]["inputs"]["seed"] = prompt, seed
    assert graph == expected
    assert before == GRAPH
    assert json.loads(json.dumps(graph)) == expected


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 99)
    | st.text(max_size=6)
    | st.sampled_from(["6", "text", "class_type"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["6", "text", "inputs", "class_type", "prompt"]) | st.text(max_size=3), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(
    graph=VALUES | st.just(GRAPH),
    slots=VALUES | st.just(SLOTS),
    more=st.dictionaries(st.sampled_from(["sizes", "fps", "makes", "gpu_s", "default_for"]), VALUES),
)
def test_whatever_is_given_is_a_workflow_or_refused(graph, slots, more):
    try:
        made = read({"workflow": graph, "slots": slots, **more}, "x")
    except WorkflowInvalid:
        return
    made.check(still(aspect="16:9", params={"seed": 1}))
    json.dumps(made.filled(still(), [], 1))


# --- the operator's folder -----------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "portrait.json").write_text(json.dumps({**DOCUMENT, "default_for": ["image.gen"], "gpu_s": 40}))
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "notes.md").write_text("Not a workflow.")
    return tmp_path


def comfy(folder=None, may_bring=None, usd=None, url=URL):
    return ComfyUI(url, folder and str(folder), may_bring, usd)


def brought(**more):
    return still(model="recipe", params={**DOCUMENT, **more})


def test_a_file_of_the_folder_is_a_model_by_its_name(folder):
    provider = comfy(folder)

    assert provider.check(still(aspect="1:1")) == []
    assert provider.default_model("image.gen") == "portrait"
    assert provider.default_model("video.gen") == "recipe"
    assert provider.default_model("sculpture.gen") is None


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("nobody", "There is no workflow nobody in the operator's folder."),
        ("notes", "There is no workflow notes in the operator's folder."),
        ("../portrait", "There is no workflow ../portrait in the operator's folder."),
        ("broken", "The workflow broken cannot be used. It is no JSON document that can be read."),
        ("deep", "The workflow deep cannot be used. It is no JSON document that can be read."),
        (
            "empty",
            "The workflow empty cannot be used. Its `workflow` is no graph: that is {node: {class_type, inputs}}.",
        ),
    ],
)
def test_a_file_that_cannot_be_used_harms_no_other(folder, model, sentence):
    assert comfy(folder).check(still(model=model)) == [("model", sentence)]


def test_a_recipe_s_own_workflow_runs_only_where_the_operator_allows_it(folder):
    refused = comfy(folder).check(brought())

    assert [field for field, _ in refused] == ["params.workflow"]
    assert comfy(folder, "1").check(brought()) == []
    assert comfy(folder, "0").check(brought()) == refused


def test_a_recipe_s_own_workflow_is_never_taken_for_the_operator_s(folder):
    generation = still(params=DOCUMENT)

    assert comfy(folder, "1").check(generation) == [
        ("model", "A step that brings its own workflow has `model: recipe`.")
    ]


@pytest.mark.parametrize("more", [{"slots": None}, {"workflow": "prompts/graph.json"}, {"fps": "x"}])
def test_a_recipe_s_workflow_that_makes_no_sense_is_refused_where_it_stands(more):
    assert [field for field, _ in comfy(may_bring="1").check(brought(**more))] == ["params.workflow"]


def test_without_an_address_nothing_runs():
    assert comfy(may_bring="1", url=None).check(brought()) == [
        ("provider", "No ComfyUI is known here: set COMFYUI_BASE_URL to where it answers.")
    ]


def test_an_address_of_a_file_is_not_passed_on():
    picture = Media(content_type="image/png", url="https://example.com/a.png")
    slots = {**SLOTS, "image": ["10", "image"]}

    problems = comfy(may_bring="1").check(still(model="recipe", images=(picture,), params={**DOCUMENT, "slots": slots}))

    assert problems == [("reference_images", "ComfyUI is sent files and fetches none: upload it instead.")]


@pytest.mark.parametrize(("usd", "quote"), [(None, "0"), ("0", "0"), ("0.0005", "0.02")])
def test_a_job_is_quoted_at_the_longest_that_it_may_take(folder, usd, quote):
    assert comfy(folder, usd=usd).quote(still()) == Decimal(quote)


@pytest.mark.parametrize("usd", ["cheap", "-1", "NaN", "Infinity", "1e9"])
def test_an_amount_that_makes_no_sense_lets_nothing_run(folder, usd):
    assert comfy(folder, usd=usd).check(still()) == [
        ("provider", "COMFYUI_USD_PER_GPU_S is no amount of USD, such as 0.0004.")
    ]
