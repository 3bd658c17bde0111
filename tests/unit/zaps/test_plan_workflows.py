"""A step that ComfyUI makes, from the recipe's text to the plan."""

import json
from decimal import Decimal

import pytest

from providers.adapters.comfyui import ComfyUI
from providers.adapters.mock import Mock
from zaps.planning.problems import ProviderUnsupported

from .planning import Willing, installed, plan

URL = "http://gpu.internal:8188"
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 156680208700286, "cfg": 7.5, "positive": ["6", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a {NAME} here is not ours", "clip": ["4", 1]}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "zaps"}},
}
BROUGHT = f"""\
---
zap: own-gpu
version: 2
description: One picture of one's own.
budget: {{estimate_usd: 1, cap_usd: 5}}
steps:
  - id: still
    kind: image.gen
    provider: comfyui
    model: recipe
    prompt: A lighthouse.
    params:
      seed: 7
      slots: {{prompt: ["6", text], seed: ["3", seed]}}
      workflow: {json.dumps(GRAPH, indent=2).replace(chr(10), chr(10) + " " * 8)}
---
"""
NAMED = BROUGHT.partition("    params:")[0].replace("model: recipe", "model: portrait") + "---\n"


@pytest.fixture
def folder(tmp_path):
    portrait = {"workflow": GRAPH, "slots": {"prompt": ["6", "text"]}, "default_for": ["image.gen"], "gpu_s": 50}
    (tmp_path / "portrait.json").write_text(json.dumps(portrait))
    return str(tmp_path)


def made(text, comfyui, **more):
    (step,) = plan(text, prompts={}, inputs={}, providers=installed(comfyui, Mock(), Willing("fal")), **more).steps
    return step


def test_a_graph_that_was_pasted_into_a_recipe_arrives_as_it_was():
    step = made(BROUGHT, ComfyUI(URL, None, "1"))

    assert step.params["workflow"] == GRAPH
    assert json.loads(json.dumps(step.params)) == step.params
    assert (step.provider, step.model, step.quote_usd) == ("comfyui", "recipe", 0)


@pytest.mark.parametrize("text", [NAMED, NAMED.replace("    model: portrait\n", "")])
def test_a_workflow_of_the_operator_s_is_named_as_a_model_and_quoted_by_what_the_gpu_costs(folder, text):
    step = made(text, ComfyUI(URL, folder, None, "0.0004"))

    assert (step.model, step.quote_usd) == ("portrait", Decimal("0.02"))


def test_a_fallback_to_the_operator_s_gpu_is_quoted_by_what_it_costs(folder):
    text = NAMED.replace(
        "    provider: comfyui\n    model: portrait\n", "    retry: {max: 1, fallback_provider: comfyui}\n"
    )

    step = made(text, ComfyUI(URL, folder, None, "0.0004"))

    assert (step.provider, step.retry.fallback_model, step.retry.fallback_usd) == ("fal", "portrait", Decimal("0.02"))


@pytest.mark.parametrize(
    ("comfyui", "path"),
    [
        (ComfyUI(None, None, "1"), "steps[0].provider"),
        (ComfyUI(URL), "steps[0].params.workflow"),
        (ComfyUI(URL, None, "1", "free"), "steps[0].provider"),
    ],
)
def test_what_the_operator_has_not_allowed_is_refused_in_the_plan(comfyui, path):
    with pytest.raises(ProviderUnsupported) as caught:
        made(BROUGHT, comfyui)

    assert [problem.path for problem in caught.value.problems] == [path]


def test_a_rehearsal_needs_no_gpu():
    step = made(BROUGHT, ComfyUI(None), mode="mock")

    assert (step.provider, step.quote_usd) == ("mock", 0)
