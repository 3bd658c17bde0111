"""What shall go wrong, when it is, and what was asked for: the emulator's fault plan, clock and journal."""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from providers.emulator.wire import Answer, Request, reply

NGINX = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_SHOWN_BYTES = 4096
_INSTEAD: dict[str, Callable[[], Answer]] = {
    "nginx": lambda: Answer(status=502, body=NGINX, content_type="text/html"),
    "garbage": lambda: Answer(body=b"<not json>", content_type="text/html"),
    "html": lambda: Answer(body=b"<!doctype html><title>Sign in</title>", content_type="video/mp4"),
    "gone": lambda: reply({"detail": "Not found"}, 404),
    "drop": lambda: Answer(drop=True),
}


class Clock:
    """Seconds that only go forward: real ones, or, once `frozen`, only those that `advance` adds."""

    def __init__(self) -> None:
        self._added_s = 0.0
        self._frozen_at: float | None = None

    def now(self) -> float:
        base = time.monotonic() if self._frozen_at is None else self._frozen_at
        return base + self._added_s

    @property
    def is_frozen(self) -> bool:
        """Does it wait to be moved?"""
        return self._frozen_at is not None

    def freeze(self) -> None:
        """Stop; jobs move on only by `advance`."""
        self._frozen_at = time.monotonic()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._added_s += seconds


@dataclass(slots=True, kw_only=True)
class Rule:
    """One fault: `do` it to calls of the kind `on` (submit, status, result, cancel, upload, media or * for all).

    The first `after` matching calls pass, the next `times` (None: all) are hit. `do` is one of: status (answer
    `status` with `body`, `retry_after_s`), nginx (its 502 page), drop (break before it is read), drop_after (break
    after it was carried out), slow (answer `delay_s` after it was carried out), garbage, gone (404), and for media:
    drip, cut, html. Any other word is for the vendor's sheet, with `type` and `status`.
    """

    on: str
    do: str
    model: str | None = None
    times: int | None = 1
    after: int = 0
    status: int | None = None
    body: Any = None
    retry_after_s: float | None = None
    delay_s: float = 5.0
    type: str = ""
    retryable: bool = False

    def take(self, on: str, model: str) -> bool:
        """Does it hit this call? Counts the call."""
        if self.on not in (on, "*") or self.model not in (None, model) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def instead(self) -> Answer | None:
        """The answer that is given in place of the vendor's; None when the vendor is asked."""
        if self.do == "status":
            later = {} if self.retry_after_s is None else {"retry_after": f"{self.retry_after_s:g}"}
            return reply(self.body or {"detail": "A fault was asked for."}, self.status or 503, **later)
        made = _INSTEAD.get(self.do)
        return made() if made else None

    def spoil(self, answer: Answer) -> Answer:
        """What becomes of the vendor's own answer."""
        match self.do:
            case "drop_after":
                answer.drop = True
            case "slow":
                answer.delay_s = self.delay_s
            case "drip":
                answer.drip_s = self.delay_s
            case "cut":
                answer.cut_after = 100
        return answer


class FaultPlan:
    """The rules, in order; the first that hits a call is applied."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, *rules: Mapping[str, Any]) -> None:
        """Append rules. Raises TypeError for a field that a rule does not have."""
        self.rules += [Rule(**rule) for rule in rules]

    def clear(self) -> None:
        """Everything works again."""
        self.rules.clear()

    def take(self, on: str, model: str) -> Rule | None:
        """The rule that hits this call."""
        return next((rule for rule in self.rules if rule.take(on, model)), None)

    def document(self) -> list[dict[str, Any]]:
        """The rules as JSON."""
        return [asdict(rule) for rule in self.rules]


@dataclass(slots=True, kw_only=True)
class Submission:
    """A request that costs money. `request_id` is set exactly when it was accepted."""

    model: str
    digest: str
    idem: str | None
    fault: str | None
    body: str
    request_id: str | None = None


@dataclass(slots=True)
class Delivery:
    """One try at a webhook, and the status that it was answered with; 0: it was not sent, or not answered."""

    url: str
    request_id: str
    fault: str | None
    status: int


@dataclass(slots=True)
class Journal:
    """Every submission and webhook, and how many calls of each kind got which status ("drop": none)."""

    submissions: list[Submission] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)

    def submission(self, model: str, request: Request, fault: str | None) -> Submission:
        """Write down that somebody wants to buy."""
        seen = Submission(
            model=model,
            digest=hashlib.sha256(request.body).hexdigest(),
            idem=request.headers.get("x-zap-idem-key"),
            fault=fault,
            body=request.body[:_SHOWN_BYTES].decode("utf-8", "replace"),
        )
        self.submissions.append(seen)
        return seen

    def accepted(self) -> list[Submission]:
        """The submissions that made a job."""
        return [one for one in self.submissions if one.request_id is not None]

    def count(self, on: str) -> int:
        """How many calls of a kind there were, whatever they got."""
        return sum(number for name, number in self.calls.items() if name.startswith(f"{on} "))

    def clear(self) -> None:
        """Forget everything."""
        self.submissions.clear()
        self.deliveries.clear()
        self.calls.clear()

    def document(self) -> dict[str, Any]:
        """The journal as JSON; `accepted` counts the jobs made by each body and by each idempotency key's digest."""
        bought = self.accepted()
        return {
            "submissions": [asdict(one) for one in self.submissions],
            "accepted": {
                "total": len(bought),
                "byBody": dict(Counter(one.digest for one in bought)),
                "byIdemKey": dict(Counter(one.idem for one in bought if one.idem)),
            },
            "webhooks": [asdict(one) for one in self.deliveries],
            "calls": dict(self.calls),
        }
