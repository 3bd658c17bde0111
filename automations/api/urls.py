"""The addresses of what starts runs without a person, below /api/."""

from django.urls import path, register_converter

from automations.api.batches import Batches, BatchView, CancelBatch, ResumeBatch
from automations.api.schedules import ScheduleRuns, Schedules, ScheduleView
from automations.api.triggers import FireTrigger, RotateTrigger, Triggers, TriggerView
from core.api.converters import PublicId


class TriggerToken(PublicId):
    """A trigger's id and its secret: anything else is a 404 before it reaches a view."""

    regex = "trigger_[0-9a-z]{16}_[0-9a-z]{40}"


register_converter(PublicId, "order_id")
register_converter(TriggerToken, "trigger_token")

urlpatterns = [
    path("schedules", Schedules.as_view(), name="schedules"),
    path("schedules/<order_id:schedule_id>", ScheduleView.as_view(), name="schedule"),
    path("schedules/<order_id:schedule_id>/runs", ScheduleRuns.as_view(), name="schedule-runs"),
    path("triggers", Triggers.as_view(), name="triggers"),
    path("triggers/<order_id:trigger_id>", TriggerView.as_view(), name="trigger"),
    path("triggers/<order_id:trigger_id>/rotate", RotateTrigger.as_view(), name="rotate-trigger"),
    path("triggers/<trigger_token:trigger_token>/fire", FireTrigger.as_view(), name="fire-trigger"),
    path("batches", Batches.as_view(), name="batches"),
    path("batches/<order_id:batch_id>", BatchView.as_view(), name="batch"),
    path("batches/<order_id:batch_id>/cancel", CancelBatch.as_view(), name="cancel-batch"),
    path("batches/<order_id:batch_id>/resume", ResumeBatch.as_view(), name="resume-batch"),
]
