"""Has this been made before? A step's request, with every byte that goes into it, as one digest.

The same digest is the same request, to the same model; its earlier result can be taken over and costs nothing.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F

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
    asked = {name: getattr(planned, name) for name in _ASKED}
    asked |= {"gated": planned.gate is not None, "judge": _demands(planned.judge)}
    asked |= {"duration_s": str(planned.duration_s), "media": _media(step, planned)}
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def made_before(run: Run, step: Step, planned: PlannedStep, key: str) -> Attempt | None:
    """A finished attempt whose result can stand for this step's.

    It is looked for where somebody asked for it: in the step's own last round when the run was reopened, in the run
    that this one branched off, and, for a step that is `shared`, in all runs of the same owner.
    """
    made = Attempt.objects.filter(content_key=key, status=AttemptStatus.DONE, role="make").select_related("step")
    if step.chosen_id is not None:
        return made.filter(pk=step.chosen_id).first()
    chosen = made.filter(step__chosen_id=F("pk"), step__status="done")
    if run.parent_id is not None and step.round == 1:
        branched = chosen.filter(run_id=run.parent_id).first()
        if branched is not None:
            return branched
    if planned.shared and run.owner_id is not None:
        return chosen.filter(run__owner_id=run.owner_id).exclude(step=step).order_by("-pk").first()
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


def _media(step: Step, planned: PlannedStep) -> list[Any]:
    """Role and content of everything that goes in, in order."""
    steps = {ref.name for ref in planned.inputs if ref.source == Source.STEP}
    users = any(ref.source == Source.USER for ref in planned.inputs)
    made = reads.results_of(step.run_id, steps) if steps else {}
    given: Mapping[str, Any] = Run.objects.values_list("inputs", flat=True).get(pk=step.run_id) if users else {}
    return [
        [
            str(ref.role),
            _digests(made.get(ref.name, ())) if ref.source == Source.STEP else bytes_of(given.get(ref.name)),
        ]
        for ref in planned.inputs
    ]


def _digests(assets: Iterable[Asset]) -> list[str]:
    return [asset.sha256 for asset in assets]
