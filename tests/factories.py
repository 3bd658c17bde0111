"""Rows to test with: plain functions, no random values but ids."""

from decimal import Decimal

from core.ids import new_id
from providers import prices
from runs.engine.start import start_run
from runs.models import Run
from zaps.planned import LOCAL, InputRef, Plan, PlannedStep, Role, Source


def planned(step_id, *parents, kind="image.gen", provider="mock", position=0, quote="0", inputs=None, **fields):
    """A planned step; its parents' assets are its inputs unless told otherwise."""
    model = fields.pop("model", f"{provider}/{kind}")
    refs = tuple(InputRef(source=Source.STEP, name=parent, role=Role.INPUT) for parent in parents)
    return PlannedStep(
        step_id=step_id,
        recipe_step=step_id,
        position=position,
        kind=kind,
        provider=LOCAL if kind in {"stitch", "keyframes"} else provider,
        model=model,
        prompt=fields.pop("prompt", "a lighthouse"),
        parents=parents,
        inputs=refs if inputs is None else inputs,
        quote_usd=Decimal(quote),
        price=prices.load().get((provider, model or "", "")),
        **fields,
    )


def make_plan(*steps, cap="5", mode="mock"):
    """A plan of these steps, in this order."""
    placed = tuple(
        PlannedStep(**{**{name: getattr(step, name) for name in step.__slots__}, "position": index})
        for index, step in enumerate(steps)
    )
    quote = sum((step.first_usd for step in placed), Decimal(0))
    return Plan(slug="test", version=1, mode=mode, steps=placed, inputs={}, quote_usd=quote, cap_usd=Decimal(cap))


def make_run(*steps, mode="mock", cap="5", owner=None, inputs=None, session_id="") -> Run:
    """A run of these steps, accepted and not begun."""
    return start_run(
        plan=make_plan(*steps, cap=cap, mode=mode),
        source="---\nzap: test\n---\n",
        prompts={},
        inputs=inputs or {},
        mode=mode,
        owner=owner,
        principal_id="test",
        session_id=session_id,
    )


def request_id():
    """A provider's id that no other test uses."""
    return new_id("job")
