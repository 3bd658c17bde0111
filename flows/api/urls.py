"""Where flows answer, below whatever the project mounts them at. An event's id, a flow's name may hold slashes."""

from django.urls import path

from flows.api import client, manifests, stream, worker

urlpatterns = [
    path("events", client.Events.as_view()),
    path("flow-events", client.EventAlias.as_view()),
    path("events/<path:event_id>/replay", client.EventReplay.as_view()),
    path("events/<path:event_id>", client.OneEvent.as_view()),
    path("runs", client.Runs.as_view()),
    path("runs/<str:run_id>/cancel", client.RunCancel.as_view()),
    path("runs/<str:run_id>/redrive", client.RunRedrive.as_view()),
    path("runs/<str:run_id>/output", client.RunOutput.as_view(), name="flow-run-output"),
    path("runs/<str:run_id>/stream", stream.run_stream),
    path("runs/<path:run_id>", client.OneRun.as_view()),
    path("claims", worker.Claims.as_view()),
    path("attempts/<str:attempt_id>/heartbeat", worker.Heartbeat.as_view()),
    path("attempts/<str:attempt_id>/output", worker.Output.as_view()),
    path("attempts/<str:attempt_id>/complete", worker.Complete.as_view()),
    path("attempts/<str:attempt_id>/fail", worker.Fail.as_view()),
    path("attempts/<str:attempt_id>/release", worker.Release.as_view()),
    path("manifests", manifests.Manifests.as_view()),
    path("manifests/<path:name>/disable", manifests.Disable.as_view()),
    path("manifests/<path:name>/enable", manifests.Enable.as_view()),
    path("manifests/<path:name>", manifests.OneManifest.as_view()),
]
