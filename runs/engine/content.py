"""Has this been made before? A step's request, with every byte that goes into it, as one digest.

The same digest is the same request, to the same model; its earlier result can be taken over and costs nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import F, QuerySet

from runs.engine import reads
from runs.inputs import bytes_of
from runs.models import Asset, Attempt, Run, Step
from runs.states import AttemptStatus
from zaps.planned import Judging, PlannedStep, Source

_ASKED = ("kind", "provider", "model", "prompt", "aspect", "params", "candidates")


def content_key(step: Step, planned: PlannedStep) -> str:
    """The digest of what the step asks for, whoever makes it in the end. 64 hexadecimal digits.

    Who has to approve it belongs to it: what nobody looked at cannot stand for what a judge or a person let pass.
    """
    steps = {ref.name for ref in planned.inputs if ref.source == Source.STEP}
    users = any(ref.source == Source.USER for ref in planned.inputs)
    made = reads.results_of(step.run_id, steps) if steps else {}
    given: Mapping[str, Any] = Run.objects.values_list("inputs", flat=True).get(pk=step.run_id) if users else {}
    return _key(planned, made, given)


def _key(planned: PlannedStep, made: Mapping[str, Sequence[Asset]], given: Mapping[str, Any]) -> str:
    asked = {name: getattr(planned, name) for name in _ASKED}
    asked |= {"gated": planned.gate is not None, "judge": _demands(planned.judge)}
    asked |= {"duration_s": str(planned.duration_s), "media": _media(planned, made, given)}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def made_before(run: Run, step: Step, planned: PlannedStep, key: str) -> Attempt | None:
    """A finished attempt whose result can stand for this step's.

    It is looked for where somebody asked for it: in the step's own last round when the run was reopened, in the run
    that this one branched off, and, for a step that is `shared`, in all runs of the same owner.
    """
    if step.chosen_id is not None:
        return _made(key).filter(pk=step.chosen_id).first()
    parent = run.parent_id if step.round == 1 else None
    return _made_elsewhere(planned, key, parent=parent, owner=run.owner_id, besides=step.pk)


def will_be_taken_over(
    steps: Sequence[PlannedStep], given: Mapping[str, Any], *, parent: int, owner: int | None
) -> frozenset[str]:
    """Ids of those steps of a branch not begun yet whose results are there already. `steps`: in an order to run in.

    A step that needs what is yet to be made is not among them, though its result may turn out to be there.
    """
    made: dict[str, Sequence[Asset]] = {step.step_id: () for step in steps if step.skipped}
    found = set()
    for step in steps:
        needed = {ref.name for ref in step.inputs if ref.source == Source.STEP}
        if step.skipped or not needed <= made.keys():
            continue
        source = _made_elsewhere(step, _key(step, made, given), parent=parent, owner=owner)
        if source is not None:
            made[step.step_id] = list(source.assets.order_by("index"))
            found.add(step.step_id)
    return frozenset(found)


def _made(key: str) -> QuerySet[Attempt]:
    return Attempt.objects.filter(content_key=key, status=AttemptStatus.DONE, role="make").select_related("step")


def _made_elsewhere(
    planned: PlannedStep, key: str, *, parent: int | None, owner: int | None, besides: int = 0
) -> Attempt | None:
    chosen = _made(key).filter(step__chosen_id=F("pk"), step__status="done")
    if parent is not None:
        branched = chosen.filter(run_id=parent).first()
        if branched is not None:
            return branched
    if planned.shared and owner is not None:
        return chosen.filter(run__owner_id=owner).exclude(step_id=besides).order_by("-pk").first()
    return None


def kept(step: Step, key: str) -> list[Attempt]:
    """What the step has made of the same request before it was stopped, oldest first; [] where somebody decided."""
    if step.kept_round is None:
        return []
    made = Attempt.objects.filter(step=step, round=step.kept_round, content_key=key, status=AttemptStatus.DONE)
    return list(made.filter(role="make").order_by("number"))


def may_be_made(run: Run, step: Step, planned: PlannedStep) -> bool:
    """Is there anywhere to look for an earlier result?"""
    return step.chosen_id is not None or (run.parent_id is not None and step.round == 1) or planned.shared


def _demands(judge: Judging | None) -> list[Any] | None:
    return [list(judge.criteria), str(judge.threshold)] if judge else None


def _media(planned: PlannedStep, made: Mapping[str, Sequence[Asset]], given: Mapping[str, Any]) -> list[Any]:
    """Role and content of everything that goes in, in order."""
    return [
        [
            str(ref.role),
            _digests(made.get(ref.name, ())) if ref.source == Source.STEP else bytes_of(given.get(ref.name)),
        ]
        for ref in planned.inputs
    ]


def _digests(assets: Iterable[Asset]) -> list[str]:
    return [asset.sha256 for asset in assets]
