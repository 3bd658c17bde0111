"""What happened, as callers told us."""

from django.db import models
from django.db.models.functions import Now


class FlowEvent(models.Model):
    """One event. Its id is the caller's, and is all that makes a second delivery a duplicate."""

    event_id = models.CharField(max_length=1000, unique=True)
    type = models.CharField(max_length=300)
    source = models.TextField(null=True, blank=True)  # noqa: DJ001 (absent is not the empty text on the wire)
    occurred_at = models.TextField(null=True, blank=True)  # noqa: DJ001 (the caller's words, never parsed)
    received_at = models.TextField(help_text="The caller's words, or our clock's as ISO 8601.")
    payload = models.JSONField(null=True)
    extra = models.JSONField(default=dict, blank=True, help_text="Fields of the event that we have no name for.")
    digest = models.CharField(
        max_length=64, editable=False, help_text="SHA-256 of all but received_at: tells another event under this id."
    )
    missed = models.JSONField(
        default=list, blank=True, help_text="Steps that listen to its type and did not match, and why, at first."
    )
    replays = models.IntegerField(default=0, help_text="How often it was replayed.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flow_events"
        ordering = ["-pk"]
        indexes = [models.Index(fields=["type", "-id"], name="flow_event_type")]

    def __str__(self) -> str:
        return self.event_id


class FlowReplay(models.Model):
    """One replay of an event against the manifests of its moment."""

    event = models.ForeignKey(FlowEvent, on_delete=models.CASCADE, related_name="replayed", db_index=False)
    number = models.IntegerField(help_text="From 1; 0 is the dispatch itself.")
    key = models.CharField(max_length=200, blank=True, help_text="The caller's idempotency key; empty: none.")
    missed = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flow_replays"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="flow_replay_once"),
            models.UniqueConstraint(fields=["event", "key"], name="flow_replay_key_once", condition=~models.Q(key="")),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} again, {self.number}"
