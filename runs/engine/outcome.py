"""What becomes of a step when a try at it has ended, or when a person took too long."""

from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone

from core.errors import OverBudget
from core.money import ZERO
from runs import dispatch, policy
from runs.engine.content import content_key
from runs.engine.stop import stop_attempt, stop_attempts
from runs.models import Attempt, Feedback, Step
from runs.states import ATTEMPT_FINAL, AttemptStatus, StepStatus, WaitReason
from runs.transitions import Moves
from runs.verdict import Do, Rules, Try, next_for
from zaps.planned import PlannedStep

_REASONS = {"SUBMISSION_UNKNOWN": WaitReason.SUBMISSION_UNKNOWN, "BUDGET_EXCEEDED": WaitReason.BUDGET}


def look_after(moves: Moves, step: Step, ended: Attempt | None = None) -> None:
    """Take a running step further, from the tries of its present round. `ended`: the one that just did."""
    planned = PlannedStep.from_json(step.spec)
    rules = Rules.of(planned)
    if ended is not None and rules.are_simple:
        attempts = [ended]
    else:
        attempts = list(Attempt.objects.filter(step=step, round=step.round).order_by("number"))
    _Outcome(moves, step, planned, rules, attempts).settle()


def mind_the_time(moves: Moves, step: Step) -> None:
    """A running step whose attempts have all ended would wait for ever, and a gate may decide by itself in time."""
    if step.due_at is None or step.due_at > timezone.now():
        return
    if step.status == StepStatus.RUNNING:
        if not step.attempts.exclude(status__in=ATTEMPT_FINAL).exists():
            look_after(moves, step)
        if step.status == StepStatus.RUNNING and not step.attempts.exclude(status__in=ATTEMPT_FINAL).exists():
            moves.fail_step(step, "POLL_DEADLINE_EXCEEDED")
    elif step.status == StepStatus.WAITING:
        _time_out(moves, step)


def scores_of(step: Step) -> dict[int, Decimal]:
    """What judges think of the attempts of the present round: the worst opinion on each, by attempt."""
    found: dict[int, Decimal] = {}
    said = Feedback.objects.filter(step=step, kind="judge_score", asset__attempt__round=step.round)
    for attempt_id, scores in said.values_list("asset__attempt_id", "scores"):
        overall = scores.get("overall")
        score = ZERO if overall is None else Decimal(str(overall))
        found[attempt_id] = min(score, found.get(attempt_id, score))
    return found


def _time_out(moves: Moves, step: Step) -> None:
    """What the recipe said for this case. What no judge let pass is never waved through."""
    if step.wait_reason == WaitReason.BUDGET:
        _reopen_in_time(moves, step)
        return
    gate = PlannedStep.from_json(step.spec).gate
    best = Attempt.objects.filter(pk=step.chosen_id or 0).first()
    stop_attempts(moves, step)
    if gate is not None and gate.on_timeout == "approve" and best is not None and not step.error:
        moves.approve_step(step, best)
    else:
        moves.fail_step(step, "GATE_TIMED_OUT")


def _reopen_in_time(moves: Moves, step: Step) -> None:
    """The day whose budget was used up is over."""
    try:
        moves.reopen_steps([(step, PlannedStep.from_json(step.spec))], forget=frozenset())
    except OverBudget:
        moves.wait_longer(step, policy.BUDGET_AGAIN_S)


class _Outcome:
    """One decision about one step, carried out."""

    def __init__(
        self, moves: Moves, step: Step, planned: PlannedStep, rules: Rules, attempts: Sequence[Attempt]
    ) -> None:
        self._moves, self._step, self._planned, self._rules = moves, step, planned, rules
        self._attempts = list(attempts)
        self._by_number = {attempt.number: attempt for attempt in attempts}

    def settle(self) -> None:
        following = next_for(self._rules, self._tries())
        best = self._by_number.get(following.best or 0)
        match following.do:
            case Do.TRY_AGAIN:
                self._try_again()
            case Do.JUDGE:
                self._judge(best)
            case Do.HOLD:
                self._hold(following.code, best)
            case Do.FAIL:
                self._moves.fail_step(self._step, following.code)
            case Do.FINISH if best is not None:
                self._stop_the_rest()
                self._moves.finish_step(self._step, best)

    def _tries(self) -> list[Try]:
        scores = scores_of(self._step) if self._rules.judged else {}
        retry = self._planned.retry
        fallback = (retry.fallback_provider or self._step.provider, retry.fallback_model)
        return [
            Try(
                number=one.number,
                status=one.status,
                is_judging=one.role == "judge",
                is_sought=one.status == AttemptStatus.UNKNOWN and one.due_at is not None,
                error=one.error,
                is_fallback=(one.provider, one.model) == fallback,
                score=scores.get(one.pk),
            )
            for one in self._attempts
        ]

    def _stop_the_rest(self) -> None:
        """A submission whose fate is unknown is not needed any more."""
        for one in self._attempts:
            if one.status not in ATTEMPT_FINAL:
                one.step = self._step
                stop_attempt(self._moves, one)

    def _try_again(self) -> None:
        """One further attempt; where there is no money for it, what is there already must do."""
        retry, step = self._planned.retry, self._step
        used = sum(one.role == "make" for one in self._attempts) - self._planned.candidates
        provider, model, quote = step.provider, step.model, self._planned.quote_usd
        if retry.has_fallback:
            provider, model = retry.fallback_provider or provider, retry.fallback_model or model
            quote = retry.fallback_usd
        try:
            attempt = self._moves.try_again(
                step,
                provider=provider,
                model=model,
                quote_usd=quote,
                after_s=float(retry.backoff_s) * 2**used,
                content_key=content_key(step, self._planned),
            )
        except OverBudget as exc:
            self._do_without(exc)
            return
        dispatch.begin_soon(attempt)
        self._attempts.append(attempt)
        self.settle()

    def _do_without(self, exc: OverBudget) -> None:
        """What is there, or may still come, must do; where there is nothing, somebody has to find the money."""
        made = [one for one in self._attempts if one.role == "make"]
        if all(one.status in {AttemptStatus.FAILED, AttemptStatus.CANCELED} for one in made):
            self._hold_for_money(exc)
            return
        self._rules = self._rules.without_retries()
        self.settle()

    def _judge(self, best: Attempt | None) -> None:
        judge = self._planned.judge
        unseen = sum(one.role == "make" and one.status == AttemptStatus.DONE for one in self._attempts)
        unseen -= len(scores_of(self._step))
        try:
            attempt = self._moves.judge_step(self._step, quote_usd=judge.quote_usd * unseen if judge else ZERO)
        except OverBudget:  # what is made is paid for: a person can look for nothing
            self._hold("JUDGE_UNAVAILABLE", best)
            return
        dispatch.begin_soon(attempt)

    def _hold(self, code: str, best: Attempt | None) -> None:
        reason = _REASONS.get(code, WaitReason.APPROVAL)
        gate = self._planned.judge.hold if code and self._planned.judge else self._planned.gate
        timeout_s = gate.timeout_s if gate and reason == WaitReason.APPROVAL else None
        self._moves.hold_step(self._step, reason, error=code, best=best, timeout_s=timeout_s)

    def _hold_for_money(self, exc: OverBudget) -> None:
        again_s = policy.BUDGET_AGAIN_S if "day" in exc.extra else None
        self._moves.hold_step(self._step, WaitReason.BUDGET, error=exc.code, timeout_s=again_s)
