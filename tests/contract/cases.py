"""Every adapter at work, for the tests that all of them must pass: one function a vendor, and its line in CASES."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from providers.adapters.comfyui import ComfyUI
from providers.adapters.fal import Fal
from providers.adapters.gmi import Gmi
from providers.adapters.mock import Mock
from providers.adapters.openrouter import OpenRouter
from providers.adapters.prodia import Prodia
from providers.adapters.replicate import Replicate
from providers.adapters.runware import Runware
from providers.contract import Generation, JobState, Provider
from providers.emulator import Emulator

PROMPT = "A red kite over the sea"


@dataclass(frozen=True, kw_only=True)
class Case:
    """An adapter, what it can be asked for, and how its vendor is made slow or made to fail.

    `usd` is the cost that it reports; None where its vendor does not tell. `wrong` is something that its check refuses,
    and the field that it names. `waits` is what its vendor calls a job that has not begun; `has_place`: does it say how
    many are before? `desk` is None for the mock.
    """

    provider: Provider
    key: str
    asked: Generation
    slowly: Callable[[], Provider]
    failing: Callable[[Generation], Generation]
    usd: Decimal | None
    wrong: tuple[Generation, str]
    waits: JobState = JobState.QUEUED
    has_place: bool = False
    desk: object = None


def picture(provider: Provider, **fields) -> Generation:
    """A still, by the model that the provider has for one."""
    return Generation(
        capability="image.gen", model=provider.default_model("image.gen"), prompt=PROMPT, aspect="16:9", **fields
    )


def emulated(provider: Provider, desk, asked: Generation, fault: dict, **fields) -> Case:
    """The case of a vendor that the emulator plays; `fault` is the rule by which a submission of it fails later."""

    def slowly() -> Provider:
        desk.clock.freeze()
        desk.pace.queue_s, desk.pace.run_s = 10, 10
        return provider

    def failing(generation: Generation) -> Generation:
        desk.plan.add({"on": "submit", **fault})
        return generation

    wrong = (replace(asked, aspect="7:3"), "aspect")
    defaults = {"key": "a:secret", "slowly": slowly, "failing": failing, "wrong": wrong, "desk": desk}
    return Case(provider=provider, asked=asked, **{**defaults, **fields})


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
    usd = Decimal("0.025")
    return emulated(provider, emulator.desks["fal"], picture(provider), fault, usd=usd, has_place=True)


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
