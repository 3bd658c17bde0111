"""Steps that become several, and what their planned steps are called."""

from collections.abc import Iterator
from itertools import product

from zaps.kind import KINDS
from zaps.recipe.schema import Repeat, StepSpec


def repeats(step: StepSpec) -> bool:
    """Is it a kind that goes on from its own copies?"""
    return step.kind in KINDS and KINDS.get(step.kind).repeats


def becomes_several(step: StepSpec) -> bool:
    """Do references to it need `.*`?"""
    return repeats(step) or bool(step.matrix)


def planned_ids(step: StepSpec, extend_count: int | None) -> list[str]:
    """The ids of its planned steps, in order."""
    if not becomes_several(step):
        return [step.id]
    count = (step.repeat or Repeat()).count(extend_count) if repeats(step) else len(list(permutations(step)))
    return [f"{step.id}_{number}" for number in range(1, count + 1)]


def possible_ids(step: StepSpec) -> list[str]:
    """Every id that its planned steps can have, with those of the frames that are made larger for them."""
    ids = planned_ids(step, (step.repeat or Repeat()).max)
    if step.first_frame is None or step.first_frame.upscale is None:
        return ids
    return [name for step_id in ids for name in (step_id, frame_id(step_id))]


def frame_id(step_id: str) -> str:
    """The planned step that makes the first frame of `step_id` larger."""
    return f"{step_id}_frame"


def permutations(step: StepSpec) -> Iterator[dict[str, str]]:
    """The values of its matrix's variables, the last one changing fastest; {} once where it has no matrix."""
    for values in product(*step.matrix.values()):
        yield dict(zip(step.matrix, values, strict=True))
