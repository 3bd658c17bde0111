"""What may be said to a run: the bodies of its verbs. A field that there is not is refused."""

from typing import Any

from rest_framework import serializers

from core.api.fields import Count, Flag, StrictRequest, Text, Usd, one_of
from runs.api.orders import MAX_EXTEND
from runs.control.feedback import KINDS, VOTES
from runs.control.taking import COMMENT_AT_MOST
from runs.order import Mode


def _step_id(**kwargs: Any) -> Text:
    return Text(max_length=80, **{"required": False, "allow_null": True, **kwargs})


def _comment() -> Text:
    return Text(max_length=COMMENT_AT_MOST, required=False, allow_blank=True)


def _max_usd() -> Usd:
    return Usd(
        required=False, allow_null=True, help_text="The run's cap from now on, never less than before; null: as it is."
    )


class Score(serializers.FloatField):
    """A JSON number."""

    def to_internal_value(self, data: Any) -> float:
        """Texts and booleans are none."""
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return super().to_internal_value(data)


class CancelRequest(StrictRequest):
    """Nothing needs to be said."""


class KeepRequest(StrictRequest):
    """Whether to."""

    keep = Flag(help_text="false: as long as its owner keeps runs.")


class ApproveRequest(StrictRequest):
    """Which of the results is good."""

    stepId = _step_id(help_text="None: the step that waits.")
    assetId = Text(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="One of its choices; None: the best.",
    )
    comment = _comment()


class RejectRequest(StrictRequest):
    """Which step's results are not good."""

    stepId = _step_id(help_text="None: the step that waits.")
    comment = _comment()


class RetryRequest(StrictRequest):
    """Which step to make again."""

    stepId = _step_id(help_text="None: all that wait, else all that failed.")
    comment = _comment()
    maxUsd = _max_usd()


class ResumeRequest(StrictRequest):
    """How much the rest may cost."""

    maxUsd = _max_usd()


class RerunRequest(StrictRequest):
    """From where to make the run again."""

    stepId = _step_id(required=True, allow_null=False)
    comment = _comment()
    maxUsd = _max_usd()


class ForkRequest(StrictRequest):
    """What the new run does differently."""

    inputs = serializers.DictField(
        required=False, help_text="Over the parent's; media as https or data: URIs. null takes one away."
    )
    extendCount = Count(required=False, allow_null=True, min_value=0, max_value=MAX_EXTEND)
    mode = one_of(Mode, required=False, help_text="By default the parent's; plan says what a live one would cost.")
    maxUsd = Usd(required=False, allow_null=True, help_text="Lowers the recipe's cap for the new run.")


class FeedbackRequest(StrictRequest):
    """What somebody thinks of a run, of a step, or of an asset: a vote, scores or a comment."""

    stepId = _step_id()
    assetId = Text(max_length=40, required=False, allow_null=True)
    vote = serializers.ChoiceField(choices=VOTES, required=False, allow_null=True)
    scores = serializers.DictField(
        child=Score(), required=False, allow_null=True, help_text="By criterion, each 0 to 1."
    )
    comment = _comment()
    kind = serializers.ChoiceField(choices=KINDS, required=False)
