"""A person's hands on a run: each address reads its body, makes one call into `runs.control`, and shows the run."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from core.api.fields import StrictRequest
from core.api.openapi import OPEN, refusals
from core.api.parsers import MediaJsonObjectParser
from core.errors import NotFound
from runs import control, queries
from runs.api.control_bodies import (
    ApproveRequest,
    CancelRequest,
    FeedbackRequest,
    ForkRequest,
    KeepRequest,
    RejectRequest,
    RerunRequest,
    ResumeRequest,
    RetryRequest,
)
from runs.api.examples import APPROVAL
from runs.api.keyed import KEY, LOCATION, answer_once
from runs.api.orders import AcceptedDocument, PlanDocument, accepted_document
from runs.api.serializers import RunDocument, snapshot
from runs.models import Run
from runs.order import Draft, Mode, admit, keep_media
from zaps.document import plan_document


class Control(APIView):
    """One verb. `spends`: on a live run it needs the scope `live`."""

    body: ClassVar[type[StrictRequest]]
    spends: ClassVar[bool] = False
    status: ClassVar[int] = 200

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """Make the one call."""
        raise NotImplementedError

    def post(self, request: Request, run_id: str) -> Response:
        """The run as it is afterwards."""
        caller, _ = _admit(request, run_id, spends=self.spends)
        said = _read(self.body, request)

        def commit(_: None) -> idempotency.Answer:
            self.act(run_id, caller, said)
            return idempotency.Answer(status=self.status, body=snapshot(run_id, caller), run_id=run_id)

        return answer_once(request, caller, prepare=lambda: None, commit=commit)


V = TypeVar("V", bound=Control)


def _door(operation_id: str, *, examples: Sequence[OpenApiExample] = ()) -> Callable[[type[V]], type[V]]:
    """How the schema speaks of the view: with its own words, not with those of Control."""

    def describe(view: type[V]) -> type[V]:
        told = extend_schema(
            operation_id=operation_id,
            auth=OPEN,
            examples=examples,
            description=view.__doc__,
            request=view.body,
            responses={view.status: RunDocument, **refusals(402, 409)},
            parameters=KEY,
        )
        return extend_schema_view(post=told)(view)

    return describe


@_door("cancelRun")
class CancelRun(Control):
    """Stop a run. What a provider is busy with is told to stop, and billed truthfully. 409 when it had ended."""

    body = CancelRequest

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.cancel_run(run_id, actor=caller.principal_id)


@_door("approveRun", examples=APPROVAL)
class ApproveRun(Control):
    """Let a waiting step's result count, and the run go on. 409 where nothing waits, or another result was approved."""

    body = ApproveRequest
    spends = True

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.approve_run(
            run_id,
            actor=caller.principal_id,
            step_id=said.get("stepId"),
            asset_id=said.get("assetId"),
            comment=said.get("comment", ""),
        )


@_door("rejectRun")
class RejectRun(Control):
    """Refuse a waiting step's results: the step fails with REJECTED. 409 where nothing waits."""

    body = RejectRequest

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.reject_run(
            run_id, actor=caller.principal_id, step_id=said.get("stepId"), comment=said.get("comment", "")
        )


@_door("retryRun")
class RetryRun(Control):
    """Make a waiting or failed step again, in a new round. 402 when that would cost more than is left of the cap."""

    body = RetryRequest
    spends = True

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.retry_run(
            run_id,
            actor=caller.principal_id,
            step_id=said.get("stepId"),
            comment=said.get("comment", ""),
            max_usd=said.get("maxUsd"),
        )


@_door("resumeRun")
class ResumeRun(Control):
    """Go on with a run that failed, was canceled or waits for money. What is done stays done."""

    body = ResumeRequest
    spends = True

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.resume_run(run_id, actor=caller.principal_id, max_usd=said.get("maxUsd"))


@_door("rerunFrom")
class RerunFrom(Control):
    """Make a step and everything that follows from it again; what came before stays. 409 while the run is at work."""

    body = RerunRequest
    spends = True

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.rerun_from(
            run_id,
            said["stepId"],
            actor=caller.principal_id,
            comment=said.get("comment", ""),
            max_usd=said.get("maxUsd"),
        )


@_door("giveFeedback")
class GiveFeedback(Control):
    """Say what one thinks of a run, a step or an asset. It moves nothing."""

    body = FeedbackRequest
    status = 201

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.give_feedback(
            run_id,
            actor=caller.principal_id,
            vote=said.get("vote"),
            scores=said.get("scores"),
            step_id=said.get("stepId"),
            asset_id=said.get("assetId"),
            comment=said.get("comment", ""),
            kind=said.get("kind", "rlhf_vote"),
        )


@_door("keepRun")
class KeepRun(Control):
    """Spare a run from its owner's retention, or spare it no longer. The operator's counts all the same."""

    body = KeepRequest

    def act(self, run_id: str, caller: Caller, said: dict[str, Any]) -> None:
        """See Control."""
        control.keep_run(run_id, keep=said["keep"], actor=caller.principal_id)


class ForkRun(APIView):
    """Begin a new run of the same recipe with some inputs changed."""

    parser_classes = (MediaJsonObjectParser,)

    @extend_schema(
        operation_id="forkRun",
        auth=OPEN,
        request=ForkRequest,
        responses={200: PlanDocument, 202: AcceptedDocument, **refusals(402, 409)},
        parameters=[*KEY, LOCATION],
    )
    def post(self, request: Request, run_id: str) -> Response:
        """The new run, which names this one as its parent and takes over every result that nothing changes.

        In mode plan, what a live one would do, with the money for what is not taken over; nothing is written.
        """
        caller, run = _admit(request, run_id, spends=False)
        said = _read(ForkRequest, request)
        mode = Mode(said.get("mode", run.provider_mode))
        admit(mode, caller)

        def drafted() -> Draft:
            return control.draft_fork(
                run_id,
                caller=caller,
                inputs=said.get("inputs"),
                extend_count=said.get("extendCount"),
                mode=mode,
                max_usd=said.get("maxUsd"),
            )

        if mode is Mode.PLAN:
            plan = drafted()
            return Response(plan_document(plan.plan, reused=control.foresee_fork(run_id, plan, caller)))

        def commit(ready: Draft) -> idempotency.Answer:
            child = control.place_fork(run_id, ready, caller)
            body = accepted_document(child.run_id, ready.plan)
            return idempotency.Answer(status=202, body=body, run_id=child.run_id)

        return answer_once(request, caller, prepare=lambda: keep_media(drafted()), commit=commit)


def _admit(request: Request, run_id: str, *, spends: bool) -> tuple[Caller, Run]:
    """The caller and the run. Raises NotFound, CallerUnknown or CallerRefused."""
    caller = caller_of(request)
    run = queries.get_run(run_id, caller)
    spends_money = spends and run.provider_mode == Mode.LIVE
    if caller.is_known or spends_money:
        caller.require(Scope.LIVE if spends_money else Scope.RUN)
    if not queries.may_change(run, caller):
        raise NotFound(f"There is no run {run_id!r}.")
    return caller, run


def _read(body: type[StrictRequest], request: Request) -> dict[str, Any]:
    read = body(data=request.data)
    read.is_valid(raise_exception=True)
    said: dict[str, Any] = read.validated_data
    return said
