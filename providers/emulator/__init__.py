"""The vendors on loopback: their own protocols, real bytes, faults on request, and a journal of what was bought."""

from providers.emulator.server import Emulator

__all__ = ["Emulator"]
