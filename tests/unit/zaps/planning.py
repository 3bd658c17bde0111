"""Plans of recipes, made with adapters and prices by hand."""

from datetime import date
from decimal import Decimal

from core.registry import Registry
from providers.contract import Provider
from providers.prices import Price, PriceBook
from zaps.plan import make_plan
from zaps.recipe import parse

from .texts import INPUTS, PROMPTS, SMALL, WORLD_CUP

TODAY = date(2026, 11, 21)


class Willing(Provider):
    """Makes everything; complains about what its name says."""

    def __init__(self, name, *, refuses=()):
        super().__init__()
        self.name = name
        self.refuses = refuses
        self.asked = []

    def default_model(self, capability):
        return None if capability in self.refuses else f"{self.name}/{capability}"

    def check(self, generation):
        self.asked.append(generation)
        return [("duration_s", "It makes 5 or 10 seconds.")] if generation.duration_s == 7 else []

    def submit(self, generation, *, key, idem_key):
        raise AssertionError("planning asks nobody")

    def poll(self, job, *, key):
        raise AssertionError("planning asks nobody")


def installed(*providers):
    registry = Registry("nothing", "NOTHING")
    registry.entries = {provider.name: provider for provider in providers}
    return registry


def book(*, verified_at=TODAY):
    def price(provider, model, unit, usd):
        return Price(
            provider=provider, model=model, unit=unit, usd=Decimal(usd), source="by hand", verified_at=verified_at
        )

    return PriceBook([
        price("fal", "fal-ai/flux/dev", "megapixel", "0.025"),
        price("gmi", "seedance-2-0-260128", "second", "0.07"),
        price("fal", "fal/image.gen", "request", "0.50"),
        price("fal", "fal/video.gen", "second", "0.10"),
        price("gmi", "gmi/image.upscale", "request", "0.02"),
        price("fal", "other", "request", "0.30"),
    ])  # fmt: skip


def plan(text=WORLD_CUP, *, prompts=PROMPTS, inputs=INPUTS, mode="live", providers=None, prices=None, **more):
    return make_plan(
        parse(text, prompts),
        inputs=inputs,
        mode=mode,
        providers=providers or installed(Willing("fal"), Willing("gmi"), Willing("mock")),
        prices=prices or book(),
        today=TODAY,
        **more,
    )


def small(text=SMALL, **more):
    return plan(text, prompts={}, **{"inputs": {}, **more})
