"""What one agent server has at hand for its whole life."""

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cli import client
from cli.agent.purse import Allowance, Purse
from cli.follow import workers_for

if TYPE_CHECKING:
    from cli.workers import Helpers

_EVERY_S = 1.0


class Desk:
    """The client, made when it is first needed; workers, once something is to be done here; and the purse."""

    def __init__(self, allowance: Allowance) -> None:
        self.purse = Purse(allowance, look=self.read_run)
        self._lock = threading.Lock()
        self._client: client.Client | None = None
        self._hands = ExitStack()
        self._watch: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def client(self) -> client.Client:
        """Raises Fault where there is no server to be had; it is tried again at the next call."""
        with self._lock:
            if self._client is None:
                self._client = client.connect()
            return self._client

    def read_run(self, run_id: str) -> dict[str, Any]:
        """The snapshot. Raises Fault."""
        snapshot: dict[str, Any] = self.client.call("GET", f"/api/runs/{quote(run_id, safe='')}")
        return snapshot

    def spending(self) -> dict[str, Any]:
        """What live runs may still cost here, for the model to know beforehand."""
        left = self.purse.left_usd
        return {"allowed": bool(self.purse.call_usd), "leftUsd": float(left), "perCallUsd": float(self.purse.call_usd)}

    def work(self) -> None:
        """See that somebody works, where that is this machine's business, until the desk is left."""
        here = self.client
        with self._lock:
            if self._watch is None and here.is_local:
                hands = self._hands.enter_context(workers_for(here))
                if hands is not None:
                    self._watch = threading.Thread(target=self._look_after, args=(hands,), daemon=True)
                    self._watch.start()

    def leave(self) -> None:
        """End the workers that were ours; the runs go on with the next ones."""
        self._ended.set()
        self._hands.close()

    def _look_after(self, hands: "Helpers") -> None:
        while not self._ended.wait(_EVERY_S):
            hands.look_after()
