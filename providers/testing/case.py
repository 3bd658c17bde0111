"""An adapter at work: what it can be asked for, and how its vendor is made slow or made to fail."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from providers.contract import Generation, JobState, Provider
from providers.emulator.desk import Desk

PROMPT = "A red kite over the sea"


@dataclass(frozen=True, kw_only=True)
class Case:
    """An adapter, what it can be asked for, and how its vendor is made slow or made to fail.

    `usd` is the cost that it reports; None where its vendor does not tell. `wrong` is something that its check refuses,
    and the field that it names. `waits` is what its vendor calls a job that has not begun; `has_place`: does it say how
    many are before? `desk` is None where there is no vendor: that of the mock.
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
    desk: Desk | None = None

    @property
    def vendor(self) -> Desk:
        """The desk of one that the emulator plays."""
        assert self.desk is not None
        return self.desk


def picture(provider: Provider, **fields: Any) -> Generation:
    """A still, by the model that the provider has for one."""
    model = provider.default_model("image.gen") or ""
    return Generation(capability="image.gen", model=model, prompt=PROMPT, aspect="16:9", **fields)


def emulated(provider: Provider, desk: Desk, asked: Generation, fault: Mapping[str, Any], **fields: Any) -> Case:
    """The case of a vendor that the emulator plays; `fault` is the rule by which a submission of it fails later.

    `fields` are those of the case that differ: its `usd` at least.
    """

    def slowly() -> Provider:
        desk.clock.freeze()
        desk.pace.queue_s, desk.pace.run_s = 10, 10
        return provider

    def failing(generation: Generation) -> Generation:
        desk.plan.add({"on": "submit", **fault})
        return generation

    wrong = (replace(asked, aspect="7:3"), "aspect")
    usual = {"key": "a:secret", "slowly": slowly, "failing": failing, "wrong": wrong, "desk": desk}
    return Case(provider=provider, asked=asked, **{**usual, **fields})
