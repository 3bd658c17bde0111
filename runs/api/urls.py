"""The addresses of runs, below /api/."""

from django.urls import path, register_converter

from core.api.converters import PublicId, Token
from runs.api.content import asset_content
from runs.api.control import (
    ApproveRun,
    CancelRun,
    ForkRun,
    GiveFeedback,
    KeepRun,
    RejectRun,
    RerunFrom,
    ResumeRun,
    RetryRun,
)
from runs.api.dead_letters import DeadLetters, Redrive
from runs.api.direct_uploads import CompleteUpload, SignUpload
from runs.api.drain import Drain
from runs.api.feed import my_events
from runs.api.learning import CompileRun, EvidenceView
from runs.api.orders import PlanZap, RunZap
from runs.api.providers import Providers, ReachProviders
from runs.api.shares import Share, Shares
from runs.api.stream import run_events
from runs.api.uploads import Uploads
from runs.api.usage import UsageView
from runs.api.views import Attempts, Info, Log, Runs, RunView
from runs.api.webhooks import provider_webhook
from zaps.api.urls import SLUG

register_converter(PublicId, "public_id")
register_converter(Token, "token")

urlpatterns = [
    path("zaps/run", RunZap.as_view(), name="run-zap"),
    path(f"zaps/<{SLUG}:slug>/plan", PlanZap.as_view(), name="plan-zap"),
    path(f"zaps/<{SLUG}:slug>/evidence", EvidenceView.as_view(), name="zap-evidence"),
    path("runs", Runs.as_view(), name="runs"),
    path("runs/<public_id:run_id>", RunView.as_view(), name="run"),
    path("runs/<public_id:run_id>/events", run_events, name="run-events"),
    path("runs/<public_id:run_id>/attempts", Attempts.as_view(), name="run-attempts"),
    path("runs/<public_id:run_id>/log", Log.as_view(), name="run-log"),
    path("runs/<public_id:run_id>/share", Shares.as_view(), name="run-shares"),
    path("runs/<public_id:run_id>/share/<public_id:share_id>", Share.as_view(), name="run-share"),
    path("runs/<public_id:run_id>/cancel", CancelRun.as_view(), name="cancel-run"),
    path("runs/<public_id:run_id>/approve", ApproveRun.as_view(), name="approve-run"),
    path("runs/<public_id:run_id>/reject", RejectRun.as_view(), name="reject-run"),
    path("runs/<public_id:run_id>/retry", RetryRun.as_view(), name="retry-run"),
    path("runs/<public_id:run_id>/resume", ResumeRun.as_view(), name="resume-run"),
    path("runs/<public_id:run_id>/rerun-from", RerunFrom.as_view(), name="rerun-from"),
    path("runs/<public_id:run_id>/fork", ForkRun.as_view(), name="fork-run"),
    path("runs/<public_id:run_id>/feedback", GiveFeedback.as_view(), name="give-feedback"),
    path("runs/<public_id:run_id>/keep", KeepRun.as_view(), name="keep-run"),
    path("runs/<public_id:run_id>/compile", CompileRun.as_view(), name="compile-run"),
    path("events", my_events, name="my-events"),
    path("assets/<public_id:asset_id>/content", asset_content, name="asset-content"),
    path("providers", Providers.as_view(), name="providers"),
    path("providers/reach", ReachProviders.as_view(), name="reach-providers"),
    path("providers/poll/drain", Drain.as_view(), name="drain"),
    path("providers/<slug:provider>/webhook/<token:token>", provider_webhook, name="webhook"),
    path("dead-letters", DeadLetters.as_view(), name="dead-letters"),
    path("dead-letters/redrive", Redrive.as_view(), name="redrive"),
    path("uploads", Uploads.as_view(), name="uploads"),
    path("uploads/sign", SignUpload.as_view(), name="sign-upload"),
    path("uploads/<public_id:direct_id>/complete", CompleteUpload.as_view(), name="complete-upload"),
    path("usage", UsageView.as_view(), name="usage"),
    path("info", Info.as_view(), name="info"),
]
