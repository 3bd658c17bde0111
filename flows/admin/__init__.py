"""The operators' door: what flows did and do. Rows are read-only; actions call what the addresses call."""

from flows.admin import attempts, events, manifests, runs, sweeps

__all__ = ["attempts", "events", "manifests", "runs", "sweeps"]
