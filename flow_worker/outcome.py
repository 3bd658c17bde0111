"""What a step says of itself: the last line of its output that holds a result. Pure.

A line that only mentions the marker is passed over; a step that ends well and says nothing that can be read has failed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MARKER = "FLOW_RESULT "
STATUSES = ("skipped", "completed", "changed", "needs_intervention", "blocked", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a step came out: with a result, or else with an error."""

    result: Mapping[str, Any] | None = None
    error: str = ""


class Listener:
    """Hears a step's lines and remembers the last result; lines are not kept."""

    def __init__(self) -> None:
        self._result: Mapping[str, Any] | None = None
        self._unread = ""

    def hear(self, line: str) -> None:
        """One line, without its end."""
        _, marker, text = line.partition(MARKER)
        if not marker:
            return
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            self._unread = "what stands behind FLOW_RESULT is not JSON"
            return
        if not isinstance(value, dict) or value.get("status") not in STATUSES:
            self._unread = f"a result is an object whose status is one of {', '.join(STATUSES)}"
            return
        self._result = value

    def outcome(self, *, code: int, last_words: str) -> Outcome:
        """What came out of a step that ended with this code; `last_words` are of its errors."""
        if code:
            how = f"exit code {code}" if code > 0 else f"signal {-code}"
            return Outcome(error=f"The step ended with {how}.{_quoted(last_words)}")
        if self._result is None:
            why = self._unread or "it printed no FLOW_RESULT line"
            return Outcome(error=f"The step ended without a result: {why}.")
        return Outcome(result=self._result)


def _quoted(words: str) -> str:
    return f"\n{words.strip()[-4000:]}" if words.strip() else ""
