"""Who looks at a result before it counts: a judge, a person, or nobody."""

from dataclasses import dataclass, replace
from decimal import Decimal

from core.money import ZERO
from zaps.planned import Gate, Judging
from zaps.recipe.schema import StepSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversight:
    """What the installation says about it: USD for looking at one result, and how long a person is waited for."""

    judge_usd: Decimal = ZERO
    gate_timeout_s: int | None = None  # None: for ever

    def gate(self, spec: StepSpec) -> Gate | None:
        """The person that must approve every result of the step."""
        return self._gate(spec) if spec.rlhf is True else None

    def judge(self, spec: StepSpec) -> Judging | None:
        """The judge, with the gate at which a person decides when it was not satisfied."""
        if spec.judge is None or not spec.judge.enabled:
            return None
        judging = Judging(criteria=spec.judge.criteria, quote_usd=self.judge_usd, hold=self._gate(spec))
        return judging if spec.judge.threshold is None else replace(judging, threshold=spec.judge.threshold)

    def _gate(self, spec: StepSpec) -> Gate:
        timeout_s, decision = self.gate_timeout_s, None
        if spec.gate is not None:
            timeout_s, decision = spec.gate.timeout_s or timeout_s, spec.gate.on_timeout
        return Gate(timeout_s=timeout_s, on_timeout=decision or "reject")
