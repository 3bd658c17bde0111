"""End what nobody can know but the vendor's own job list: was it bought, or not?"""

from core.again import again
from core.errors import NotFound
from core.money import ZERO
from runs.control.taking import StepStateForbids, taking_even_deleted
from runs.models import Attempt
from runs.states import ATTEMPT_FINAL, AttemptStatus

_UNKNOWN = "SUBMISSION_UNKNOWN"


@again
def resolve_unknown(run_id: str, attempt_pk: int, *, bought: bool, actor: str) -> None:
    """Free the money that an unknown submission holds, or book it. Its step is left to whoever decides about it.

    Raises NotFound, and Conflict where the attempt's fate is known, or its answer may still come.
    """
    with taking_even_deleted(run_id, actor=actor) as moves:
        attempt = Attempt.objects.select_related("step").filter(pk=attempt_pk, run=moves.run).first()
        if attempt is None:
            raise NotFound("The run has no such attempt.")
        usd, source = (attempt.quote_usd, "quoted") if bought else (ZERO, "none")
        if attempt.status == AttemptStatus.UNKNOWN and attempt.due_at:
            raise StepStateForbids("Its provider is being asked; that takes a quarter of an hour at most.")
        if attempt.status == AttemptStatus.UNKNOWN:
            moves.failed(attempt, None, code=_UNKNOWN, actual=usd, source=source)
        elif attempt.status == AttemptStatus.CANCELING and not attempt.provider_request_id:
            moves.canceled(attempt, actual=usd, source=source)
        elif attempt.status in ATTEMPT_FINAL and attempt.error == _UNKNOWN and attempt.reserved_usd:
            moves.resolved(attempt, actual=usd, source=source)
        else:
            raise StepStateForbids(f"The attempt is {attempt.status}; there is nothing unknown about it.")
