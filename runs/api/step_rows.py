"""How steps and attempts look on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import EpochMs, TextOrNull, Usd, one_of
from runs.api import asks
from runs.api.rows import Char, Failable, Float, Int
from runs.states import AttemptStatus, StepStatus, WaitReason


class AttemptRow(Failable):
    """One try at a step."""

    secret = ("idemKey", "providerRequestId")

    number = Int()
    round = Int(help_text="The step's round that it belongs to.")
    role = serializers.ChoiceField(choices=["make", "judge"], help_text="judge: a look at what others made.")
    status = one_of(AttemptStatus)
    provider = Char()
    model = TextOrNull()
    idemKey = Char(source="idem_key")
    providerRequestId = TextOrNull(source="provider_request_id")
    progress = Float(allow_null=True)
    queuePosition = Int(source="queue_position", allow_null=True)
    seed = Int(allow_null=True)
    logs = serializers.ListField(child=Char())
    polls = Int()
    tries = Int()
    priceQuoteUsd = Usd(source="quote_usd")
    reservedUsd = Usd(source="reserved_usd", help_text="Held of the run's cap until it ends.")
    actualUsd = Usd(source="actual_usd", allow_null=True)
    costSource = TextOrNull(source="cost_source")
    createdAt = EpochMs(source="created_at")
    submittedAt = EpochMs(source="submitted_at", allow_null=True)
    acceptedAt = EpochMs(source="accepted_at", allow_null=True)
    settlingAt = EpochMs(source="settling_at", allow_null=True)
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    nextCheckAt = EpochMs(source="due_at", allow_null=True)


class Choice(serializers.Serializer[Any]):
    """A result that can be approved."""

    assetId = Char()
    attempt = Int()
    score = Float(allow_null=True, help_text="0 to 1, the lowest that a judge gave; null where none did.")


class Waits(serializers.Serializer[Any]):
    """What a waiting step asks of a person."""

    reason = Char(help_text="approval, submission_unknown or budget.")
    message = Char()
    since = EpochMs(allow_null=True)
    until = EpochMs(allow_null=True, help_text="When it decides by itself; null: it waits for ever.")
    onTimeout = Char(allow_null=True, help_text="approve, reject or retry: what it then does.")
    choices = Choice(many=True, help_text="What can be approved, the best first.")


class StepRow(Failable):
    """One row of `steps`, with its attempts."""

    secret = ("idemKey", "providerRequestId")

    stepId = Char(source="step_id")
    runId = serializers.SerializerMethodField()
    order = Int(source="position", help_text="Place in the recipe, from 0.")
    kind = Char()
    provider = Char()
    model = TextOrNull()
    status = one_of(StepStatus)
    waitReason = one_of(WaitReason, source="wait_reason", allow_null=True)
    progress = Float(help_text="0 to 1.")
    parents = serializers.ListField(child=Char(), help_text="Ids of the steps that must be done first.")
    round = Int(help_text="Counts the times that it was begun anew.")
    candidates = serializers.SerializerMethodField()
    chosenAttempt = serializers.SerializerMethodField()
    waits = serializers.SerializerMethodField()
    can = serializers.SerializerMethodField(help_text="What is not refused now: approve, retry, reject, rerun-from.")
    idemKey = TextOrNull(source="idem_key")
    providerRequestId = TextOrNull(source="provider_request_id")
    priceQuoteUsd = Usd(source="price_quote_usd")
    reservedUsd = Usd(source="reserved_usd", help_text="Held of the run's cap for attempts that are not made yet.")
    actualUsd = Usd(source="actual_usd", allow_null=True)
    startedAt = EpochMs(source="started_at", allow_null=True)
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    attempts = serializers.SerializerMethodField()

    def get_runId(self, step: Any) -> str:  # noqa: N802
        """Its run."""
        return str(self.context["run_id"])

    @extend_schema_field(AttemptRow(many=True))
    def get_attempts(self, step: Any) -> list[dict[str, Any]]:
        """Its tries, oldest first."""
        return list(self.context["attempts"].get(step.pk, ()))

    def get_candidates(self, step: Any) -> int:
        """How many attempts a round makes side by side."""
        return int(step.spec.get("candidates", 1))  # runs of before candidates have none

    def get_chosenAttempt(self, step: Any) -> int | None:  # noqa: N802
        """Number of the attempt whose assets count; null while none does."""
        is_chosen = step.chosen_id in self.context["chosen"]
        return self.context["numbers"][step.chosen_id] if is_chosen else None

    @extend_schema_field(Waits(allow_null=True))
    def get_waits(self, step: Any) -> dict[str, Any] | None:
        """Null unless it is waiting."""
        waits = asks.waits(step, self.context["made"])
        return Waits(waits).data if waits is not None else None

    def get_can(self, step: Any) -> list[str]:
        """The verbs that the step takes as it stands."""
        return asks.step_can(self.context["run"], step, self.context["made"])
