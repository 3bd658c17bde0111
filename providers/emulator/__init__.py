"""The vendors on loopback: their own protocols, real bytes, faults on request, and a journal of what was bought."""

from providers.emulator.server import Emulator, variable

__all__ = ["Emulator", "variable"]
