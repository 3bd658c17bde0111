"""Where flows answer, below whatever the project mounts them at. An event's id, a flow's name may hold slashes."""

from django.urls import path, register_converter

from flows.api import client, manifests, stream, worker


class Anything:
    """What callers name things by: Django's own `path` knows no line breaks."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(Anything, "anything")

urlpatterns = [
    path("events", client.Events.as_view()),
    path("flow-events", client.EventAlias.as_view()),
    path("events/<anything:event_id>/replay", client.EventReplay.as_view()),
    path("events/<anything:event_id>", client.OneEvent.as_view()),
    path("runs", client.Runs.as_view()),
    path("runs/<str:run_id>/cancel", client.RunCancel.as_view()),
    path("runs/<str:run_id>/redrive", client.RunRedrive.as_view()),
    path("runs/<str:run_id>/output", client.RunOutput.as_view(), name="flow-run-output"),
    path("runs/<str:run_id>/stream", stream.run_stream),
    path("runs/<anything:run_id>", client.OneRun.as_view()),
    path("claims", worker.claim),
    path("attempts/<str:attempt_id>/heartbeat", worker.Heartbeat.as_view()),
    path("attempts/<str:attempt_id>/output", worker.Output.as_view()),
    path("attempts/<str:attempt_id>/complete", worker.Complete.as_view()),
    path("attempts/<str:attempt_id>/fail", worker.Fail.as_view()),
    path("attempts/<str:attempt_id>/release", worker.Release.as_view()),
    path("manifests", manifests.Manifests.as_view()),
    path("manifests/<anything:name>/disable", manifests.Disable.as_view()),
    path("manifests/<anything:name>/enable", manifests.Enable.as_view()),
    path("manifests/<anything:name>", manifests.OneManifest.as_view()),
]
