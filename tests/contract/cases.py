"""Every adapter at work, for the tests that all of them must pass: one function a vendor, and its line in CASES."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from providers.adapters.comfyui import ComfyUI
from providers.adapters.fal import Fal
from providers.adapters.gmi import Gmi
from providers.adapters.mock import Mock
from providers.adapters.openrouter import OpenRouter
from providers.adapters.prodia import Prodia
from providers.adapters.replicate import Replicate
from providers.adapters.runware import Runware
from providers.contract import Generation, JobState
from providers.emulator import Emulator
from providers.testing import PROMPT, Case, emulated, picture


def mock_case(emulator: Emulator) -> Case:
    provider = Mock()
    asked = picture(provider)
    return Case(
        provider=provider,
        key="",
        asked=asked,
        slowly=lambda: Mock(None, "60"),
        failing=lambda generation: replace(generation, params={"mock": {"fail": "PROVIDER_FAILED"}}),
        usd=Decimal(0),
        wrong=(replace(asked, capability="sculpture.gen"), "kind"),
        has_place=True,
    )


def fal_case(emulator: Emulator) -> Case:
    provider, fault = Fal(emulator.urls["fal"]), {"do": "infra_error", "type": "runner_disconnected"}
    return emulated(provider, emulator.desks["fal"], picture(provider), fault, usd=None, has_place=True)


def gmi_case(emulator: Emulator) -> Case:
    provider = Gmi(emulator.urls["gmi"])
    return emulated(provider, emulator.desks["gmi"], picture(provider), {"do": "fail"}, usd=None)


def prodia_case(emulator: Emulator) -> Case:
    provider, waits = Prodia(emulator.urls["prodia"]), JobState.RUNNING
    usd = Decimal("0.0025")
    return emulated(provider, emulator.desks["prodia"], picture(provider), {"do": "fail"}, usd=usd, waits=waits)


def openrouter_case(emulator: Emulator) -> Case:
    """Of its clips: a picture is the answer to its own request."""
    provider = OpenRouter(emulator.urls["openrouter"])
    clip = Generation(
        capability="video.gen",
        model=provider.default_model("video.gen"),
        prompt=PROMPT,
        aspect="16:9",
        duration_s=Decimal(4),
    )
    return emulated(provider, emulator.desks["openrouter"], clip, {"do": "fail"}, usd=Decimal("0.5"))


def replicate_case(emulator: Emulator) -> Case:
    provider = Replicate(emulator.urls["replicate"])
    return emulated(provider, emulator.desks["replicate"], picture(provider), {"do": "fail"}, usd=None)


def runware_case(emulator: Emulator) -> Case:
    provider, usd = Runware(emulator.urls["runware"]), Decimal("0.0038")
    return emulated(provider, emulator.desks["runware"], picture(provider), {"do": "model_error"}, usd=usd)


class Comfy(ComfyUI):
    """One that lets recipes bring their graphs."""

    def __init__(self, base_url: str | None = None) -> None:
        super().__init__(base_url, None, "1")


GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "positive": ["6", 0], "latent_image": ["5", 0]}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": ""}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "zaps"}},
}
SLOTS = {"prompt": ["6", "text"], "seed": ["3", "seed"], "width": ["5", "width"], "height": ["5", "height"]}


def comfyui_case(emulator: Emulator) -> Case:
    provider, desk = Comfy(emulator.urls["comfyui"]), emulator.desks["comfyui"]
    asked = picture(provider, params={"workflow": GRAPH, "slots": SLOTS})
    return emulated(provider, desk, asked, {"do": "oom"}, usd=Decimal(0), has_place=True)


CASES: dict[str, Callable[[Emulator], Case]] = {
    "mock": mock_case,
    "comfyui": comfyui_case,
    "fal": fal_case,
    "gmi": gmi_case,
    "openrouter": openrouter_case,
    "prodia": prodia_case,
    "replicate": replicate_case,
    "runware": runware_case,
}
EMULATED = [name for name in CASES if name != "mock"]
