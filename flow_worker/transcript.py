"""A step's output on its way to the server: numbered, in batches, kept until it is known to be stored."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from flow_worker.outcome import Listener, Outcome
from flow_worker.process import Ended

_MOST, _MOST_BYTES = 200, 256 * 1024  # of one batch
_PIECE = 16 * 1024  # characters
_KEPT_BYTES = 32 * 1024 * 1024  # waiting for a server that does not answer; what is more is thrown away
_LAST_WORDS = 4000

Send = Callable[[list[dict[str, Any]]], None]


class Transcript:
    """Takes pieces from any thread. `flush` sends what there is; it raises what `send` raises and keeps the rest."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._lock, self._sending = threading.Lock(), threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque()
        self._seq = self._bytes = 0
        self._line = ""
        self._is_cut, self._is_wanted = False, True
        self.listener = Listener()
        self.last_words = ""

    def write(self, kind: str, text: str) -> None:
        """Some text of a stream, wherever it was cut."""
        with self._lock:
            if kind == "stdout":
                self._hear(text)
            elif kind == "stderr":
                self.last_words = (self.last_words + text)[-_LAST_WORDS:]
            for start in range(0, len(text), _PIECE):
                self._add(kind, text[start : start + _PIECE])

    def close(self) -> None:
        """The streams have ended: a last line may have no end."""
        with self._lock:
            self.listener.hear(self._line)
            self._line = ""

    def outcome(self, ended: Ended, *, timeout_s: float) -> Outcome:
        """What came of the step whose output this is; it was given `timeout_s`."""
        if ended.is_timed_out:
            return Outcome(error=f"The step did not end within its {timeout_s:g} s and was stopped.")
        return self.listener.outcome(code=ended.code, last_words=self.last_words)

    def enough(self) -> None:
        """The server stores no more of it: what is not sent yet, and what comes, is thrown away."""
        self._is_wanted = False

    def flush(self) -> None:
        """Send everything that waits."""
        with self._sending:
            while batch := self._batch():
                self._send(batch)
                with self._lock:
                    for piece in batch:
                        self._waiting.popleft()
                        self._bytes -= len(piece["text"])

    def _hear(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self.listener.hear(line)
        self._line = self._line[-2_000_000:]

    def _add(self, kind: str, text: str) -> None:
        if not self._is_wanted:
            return
        was_cut, self._is_cut = self._is_cut, self._bytes > _KEPT_BYTES
        if self._is_cut:
            if was_cut:
                return
            kind, text = (
                "system",
                "The server cannot be reached, or not as fast as the step writes; output is lost here.\n",
            )
        self._seq += 1
        self._bytes += len(text)
        self._waiting.append({"seq": self._seq, "kind": kind, "text": text})

    def _batch(self) -> list[dict[str, Any]]:
        batch: list[dict[str, Any]] = []
        size = 0
        with self._lock:
            if not self._is_wanted:
                self._waiting.clear()
            for piece in self._waiting:
                size += len(piece["text"]) * 4
                if batch and (size > _MOST_BYTES or len(batch) == _MOST):
                    break
                batch.append(piece)
        return batch
