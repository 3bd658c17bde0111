"""The emulated vendor as these tests see it, and steps that buy from it."""

import socket
from contextlib import contextmanager
from dataclasses import replace

from tests.factories import planned

KEY = "an-id:a-secret"
PRICE = "0.025"  # of one picture by fal-ai/flux/dev


class Fal:
    """The fal desk of a running emulator."""

    def __init__(self, emulator):
        self.url = emulator.urls["fal"]
        self._desk = emulator.desks["fal"]
        self.journal = self._desk.journal

    def fault(self, on, do, **fields):
        """From now on this goes wrong; once, unless `times` says otherwise."""
        self._desk.plan.add({"on": on, "do": do, **fields})

    def mend(self):
        """No more faults."""
        self._desk.plan.clear()

    def work_for(self, seconds, *, queue_s=0.0):
        """Jobs that are bought from now on take this long."""
        self._desk.pace = replace(self._desk.pace, queue_s=queue_s, run_s=seconds)

    def stop_time(self):
        """Jobs go on only by `pass_time`."""
        self._desk.clock.freeze()

    def pass_time(self, seconds):
        """Jobs go on by so much."""
        self._desk.clock.advance(seconds)

    def bought(self):
        """The submissions that made a job."""
        return self.journal.accepted()


def paid(step_id, *parents, **fields):
    """A step that costs money."""
    return planned(step_id, *parents, provider="fal", model="fal-ai/flux/dev", quote=PRICE, inputs=(), **fields)


@contextmanager
def deaf_listener():
    """An address that accepts no connection and refuses none: whoever connects hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}"
        for each in waiting:
            each.close()
