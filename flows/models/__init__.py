"""One file a table."""

from flows.models.attempt import FlowAttempt
from flows.models.event import FlowEvent, FlowReplay
from flows.models.manifest import FlowManifest, FlowManifestVersion, FlowTrigger
from flows.models.output import FlowOutput
from flows.models.run import FlowRun
from flows.models.sweep_log import FlowSweepLog

__all__ = [
    "FlowAttempt",
    "FlowEvent",
    "FlowManifest",
    "FlowManifestVersion",
    "FlowOutput",
    "FlowReplay",
    "FlowRun",
    "FlowSweepLog",
    "FlowTrigger",
]
