"""Delivers webhooks as vendors do: signed, after a job, again when nobody took them; and in every wrong way."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from providers.emulator.faults import Clock, Delivery, FaultPlan, Journal, Rule

TRIES = 5
TIMEOUT_S = 15.0
_PAUSE_S = 0.2  # after the first refusal; then twice as long each time
_LOOK_S = 0.02  # how soon a clock is seen to have been moved
_STALE_S = 3600
_HUGE_BYTES = 1_100_000
_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_ONCE = frozenset({"forged", "wrong_key", "unsigned", "stale"})  # whoever sends these does not try again


class Signer(Protocol):
    """How a vendor signs."""

    def headers(self, event_id: str, body: bytes, at: int, *, wrong: bool) -> dict[str, str]:
        """What goes along with a body that is signed at that moment; `wrong`: with a key that is not the vendor's."""

    def rotate(self) -> None:
        """From now on it signs with another key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A webhook that is promised. `at` is when it is due, by the desk's clock; `body` is made then."""

    url: str
    model: str
    request_id: str
    event_id: str
    at: Callable[[], float]
    body: Callable[[], bytes]
    signer: Signer


@dataclass(slots=True)
class Postman:
    """One vendor's. What shall go wrong is a rule on `webhook`; its `do` is one of: drop, duplicate, replay (the same
    bytes again, `delay_s` later), late (by `delay_s`, by the desk's clock), slow (dripping), huge, forged (changed
    after it was signed), wrong_key, unsigned, stale, and rotate (the vendor changes its key first).
    """

    plan: FaultPlan
    clock: Clock
    journal: Journal
    _out: set[asyncio.Task[None]] = field(default_factory=set)

    def promise(self, letter: Letter) -> None:
        """Send it when its job has ended. To be called on the emulator's loop."""
        task = asyncio.get_running_loop().create_task(self._see_to(letter))
        self._out.add(task)
        task.add_done_callback(self._out.discard)

    async def _see_to(self, letter: Letter) -> None:
        await self._until(letter.at)
        rule = self.plan.take("webhook", letter.model)
        do = rule.do if rule else ""
        if do == "rotate":
            letter.signer.rotate()
        if rule and do == "late":
            late_s = rule.delay_s
            await self._until(lambda: letter.at() + late_s)
        body = letter.body()
        await self._deliver(letter, body, rule)
        if do == "duplicate":
            await self._deliver(letter, body, rule)

    async def _until(self, at: Callable[[], float]) -> None:
        while (left := at() - self.clock.now()) > 0:
            await asyncio.sleep(min(left, _LOOK_S) if self.clock.is_frozen else min(left, 0.25))

    async def _deliver(self, letter: Letter, body: bytes, rule: Rule | None) -> None:
        """Until somebody takes it, or it was tried often enough."""
        do = rule.do if rule else ""
        if do == "drop":
            self.journal.deliveries.append(Delivery(letter.url, letter.request_id, do, 0))
            return
        for number in range(1 if do in _ONCE else TRIES):
            await asyncio.sleep(_PAUSE_S * 2 ** (number - 1) if number else 0)
            headers, sent = _signed(letter, body, do)
            status = await self._post(letter, headers, sent, rule)
            if rule and do == "replay":
                await asyncio.sleep(rule.delay_s)
                await self._post(letter, headers, sent, rule)
            if 200 <= status < 300:
                return

    async def _post(self, letter: Letter, headers: Mapping[str, str], body: bytes, rule: Rule | None) -> int:
        drip_s = rule.delay_s if rule and rule.do == "slow" else 0.0
        try:
            status = await asyncio.wait_for(post(letter.url, headers, body, drip_s=drip_s), TIMEOUT_S)
        except (OSError, ValueError, TimeoutError):
            status = 0
        self.journal.deliveries.append(Delivery(letter.url, letter.request_id, rule.do if rule else None, status))
        return status


def _signed(letter: Letter, body: bytes, do: str) -> tuple[dict[str, str], bytes]:
    if do == "huge":
        body += b" " * _HUGE_BYTES
    at = int(time.time()) - (_STALE_S if do == "stale" else 0)
    headers = {} if do == "unsigned" else letter.signer.headers(letter.event_id, body, at, wrong=do == "wrong_key")
    return headers, body + b" " if do == "forged" else body


async def post(url: str, headers: Mapping[str, str], body: bytes, *, drip_s: float = 0.0) -> int:
    """POST, and the answer's status. `drip_s` passes between four pieces of the body. Raises OSError and ValueError."""
    parts = urlsplit(url)
    if parts.hostname not in _HERE:
        raise ValueError("The emulator calls nobody but this machine.")
    secure = parts.scheme == "https"
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or (443 if secure else 80), ssl=secure)
    try:
        lines = [f"POST {parts.path or '/'} HTTP/1.1", f"host: {parts.netloc}", f"content-length: {len(body)}"]
        lines += ["content-type: application/json", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        size = -(-len(body) // 4) if drip_s else len(body)
        for start in range(0, len(body), size or 1):
            writer.write(body[start : start + size])
            await asyncio.sleep(drip_s)
        return int((await reader.readline()).split(b" ")[1])
    except IndexError:
        raise ValueError("That is no answer.") from None
    finally:
        writer.close()
