"""The least that can be asked of a provider: a recipe of one step, as cheap as its models allow. Pure."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from core.errors import ZapsError
from providers.contract import Generation, Media, Provider
from providers.emulator.media import CONTENT_TYPES, content
from providers.prices import PriceBook
from providers.registry import Configured
from zaps.kind import KINDS, StepKind
from zaps.plan import make_plan
from zaps.recipe import parse

PROMPT = "A red kite over the sea"
STEP = "job"
SLUG = "live-smoke"
_DURATIONS = tuple(map(Decimal, (1, 2, 3, 4, 5, 6, 8, 10)))
_SAMPLES = {"png": "image", "mp4": "video"}
_SAMPLE_S = 3  # what is made of a clip is paid by its length


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimal:
    """A job. `sample` is the class of file that goes in (png or mp4), "" for none; `usd` is the quote."""

    provider: str
    kind: str
    model: str
    prompt: str
    duration_s: Decimal | None
    sample: str
    usd: Decimal = field(default=Decimal(0))

    def recipe(self, cap: Decimal) -> str:
        """The Zap.md of the run: nothing in it may try anything twice."""
        lines = [
            "---",
            f"zap: {SLUG}",
            "version: 2",
            "description: One minimal job, to see how a provider really answers.",
            *([f"inputs: {{SAMPLE: {{type: {_SAMPLES[self.sample]}, required: true}}}}"] if self.sample else []),
            f"budget: {{estimate_usd: 0, cap_usd: {cap:f}}}",
            "steps:",
            f"  - id: {STEP}",
            f"    kind: {self.kind}",
            f"    provider: {self.provider}",
            f"    model: {json.dumps(self.model)}",
            *([f"    prompt: {self.prompt}"] if self.prompt else []),
            *([f"    duration_s: {self.duration_s:f}"] if self.duration_s is not None else []),
            *(["    inputs: [user.SAMPLE]"] if self.sample else []),
            "---",
        ]
        return "\n".join(lines) + "\n"

    def inputs(self) -> dict[str, str]:
        """What is given with it."""
        if not self.sample:
            return {}
        text = base64.b64encode(content(self.sample, _SAMPLE_S)).decode()
        return {"SAMPLE": f"data:{CONTENT_TYPES[self.sample]};base64,{text}"}


def choices(
    provider: Provider, prices: PriceBook, *, today: date, kind: str | None = None, model: str | None = None
) -> list[Minimal]:
    """What can be asked of it, the cheapest first; [] where nothing has a price. `kind` and `model` narrow it."""
    found = []
    for each in KINDS:
        if each.render is None and kind in (None, each.name):
            usual = provider.default_model(each.name)
            priced = [price.model for price in prices if price.provider == provider.name]
            models = [model] if model else dict.fromkeys([*priced, *([usual] if usual else [])])
            found += [one for name in models for one in _smallest(provider, each, name, prices, today)]
    return sorted(found, key=lambda one: (one.usd, bool(one.sample), one.kind, one.model))


def _smallest(provider: Provider, kind: StepKind, model: str, prices: PriceBook, today: date) -> Iterator[Minimal]:
    """The first that the model would take, if it has a price: short before long, words alone before files."""
    for asked in _possible(provider.name, kind, model):
        if not provider.check(_generation(asked)):
            usd = _quote(asked, prices, today)
            if usd is not None:
                yield Minimal(
                    provider=asked.provider, kind=asked.kind, model=asked.model, prompt=asked.prompt,
                    duration_s=asked.duration_s, sample=asked.sample, usd=usd,
                )  # fmt: skip
                return


def _possible(provider: str, kind: StepKind, model: str) -> Iterator[Minimal]:
    durations = _DURATIONS if kind.needs_duration else (None, *_DURATIONS)
    for sample in (kind.works_on,) if kind.works_on else ("", "png", "mp4"):
        for prompt in (PROMPT, ""):
            for seconds in (Decimal(_SAMPLE_S),) if sample == "mp4" else durations:
                yield Minimal(
                    provider=provider, kind=kind.name, model=model, prompt=prompt, duration_s=seconds, sample=sample
                )


def _generation(asked: Minimal) -> Generation:
    file = Media(content_type=CONTENT_TYPES[asked.sample], read=bytes) if asked.sample else None
    return Generation(
        capability=asked.kind,
        model=asked.model,
        prompt=asked.prompt,
        images=(file,) if file and asked.sample == "png" else (),
        videos=(file,) if file and asked.sample == "mp4" else (),
        duration_s=asked.duration_s,
    )


def _quote(asked: Minimal, prices: PriceBook, today: date) -> Decimal | None:
    """By the very plan that a live run makes; None where it would be refused."""
    try:
        plan = make_plan(
            parse(asked.recipe(Decimal(1000)), {}),
            inputs=asked.inputs(),
            mode="live",
            providers=Configured(),
            prices=prices,
            today=today,
        )
    except ZapsError:
        return None
    return plan.quote_usd
