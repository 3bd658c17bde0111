"""The tables."""

from automations.models.batch import Batch
from automations.models.firing import Firing
from automations.models.schedule import Schedule
from automations.models.trigger import Trigger

__all__ = ["Batch", "Firing", "Schedule", "Trigger"]
