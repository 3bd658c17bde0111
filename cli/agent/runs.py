"""Tools that start runs, stay with them, and decide."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from cli import hands
from cli.agent.desk import Desk
from cli.agent.recipes import Extend, Inputs, MaxUsd, Prompts, Source, order_of
from cli.agent.telling import answer, brief, tool, waiting_tool
from cli.faults import Fault
from cli.follow import with_paths

RunId = Annotated[str, Field(description="A run's id, as run_….")]
StepId = Annotated[str | None, Field(description="Which step; needed only where several wait.")]
Comment = Annotated[str | None, Field(max_length=2000, description="Why; it is kept with the run.")]
_STANDING = frozenset({"done", "failed", "canceled", "waiting"})
_ENDED = frozenset({"done", "failed", "canceled", "skipped"})
_EVERY_S = 1.0
_BEGUN = 0.05  # of a step, for having begun
_PATIENCE_S = 60.0  # with a server that is being started again


class RunTools:
    """Bound to one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @tool
    def zap_run(
        self,
        slug: Annotated[str | None, Field(description="A recipe of the catalogue.")] = None,
        source: Source = None,
        prompts: Prompts = None,
        inputs: Inputs = None,
        mode: Annotated[
            Literal["mock", "live"], Field(description="mock is free and makes placeholder media; live spends money.")
        ] = "mock",
        max_usd: MaxUsd = None,
        extend_count: Extend = None,
    ) -> CallToolResult:
        """Start a run and come back at once with its id; zap_watch waits for the film.

        A live run costs real money: use zap_plan first, tell the person what it costs, and use live only when they
        agree. The server refuses it unless it was started with leave to spend.
        """
        body = order_of(slug, source, prompts, inputs, mode=mode, maxUsd=max_usd, extendCount=extend_count)
        accepted = self._buy(body, max_usd) if mode == "live" else self._order(body, str(uuid.uuid4()))
        self._desk.work()
        wanted = ("runId", "status", "quoteUsd", "capUsd", "warnings")
        told: dict[str, Any] = {name: accepted[name] for name in wanted if name in accepted}
        return answer({**told, "mode": mode, "next": ["zap_watch waits until it ends or a person is needed."]})

    @tool
    def zap_status(
        self,
        run_id: Annotated[str | None, Field(description="A run's id; without it, the newest runs.")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 10,
    ) -> CallToolResult:
        """Show how a run stands and why, or list the newest runs and what may still be spent."""
        if run_id is not None:
            return answer(self._brief(run_id))
        page = self._desk.client.call("GET", f"/api/runs?{urlencode({'limit': limit})}")
        wanted = ("runId", "zapSlug", "status", "stage", "providerMode", "costUsd", "startedAt")
        runs = [{name: one[name] for name in wanted} for one in page["runs"]]
        return answer({"runs": runs, "spending": self._desk.spending()})

    @waiting_tool
    async def zap_watch(
        self,
        ctx: Context[Any, Any],
        run_id: RunId,
        timeout_s: Annotated[
            int, Field(ge=1, le=3600, description="Come back after this long, however it stands.")
        ] = 600,
    ) -> CallToolResult:
        """Wait until a run ends or needs a person, telling its progress meanwhile. Films take minutes.

        When it comes back with timedOut, call it again: the run goes on.
        """
        until = time.monotonic() + timeout_s
        told = -1.0
        await asyncio.to_thread(self._desk.work)
        while True:
            snapshot = await self._look(run_id)
            done, of, message = progress(snapshot)
            if done > told:  # the protocol wants it to grow
                told = done
                await ctx.report_progress(done, of, message)
            is_standing = snapshot["run"]["status"] in _STANDING
            if is_standing or time.monotonic() >= until:
                short = await asyncio.to_thread(self._short, snapshot)
                return answer({**short, "timedOut": not is_standing})
            await asyncio.sleep(max(min(_EVERY_S, until - time.monotonic()), 0))

    @tool
    def zap_approve(
        self,
        run_id: RunId,
        step_id: StepId = None,
        asset_id: Annotated[str | None, Field(description="Which of its choices; by default the best.")] = None,
        comment: Comment = None,
    ) -> CallToolResult:
        """Let what a waiting step made count, so that the run goes on. Ask the person first: it is their decision.

        What follows may cost money on a live run, up to the run's cap.
        """
        self._desk.purse.cover(self._desk.read_run(run_id))
        snapshot = hands.tell(self._desk.client, run_id, "approve", stepId=step_id, assetId=asset_id, comment=comment)
        self._desk.work()
        return answer(self._short(snapshot))

    @tool
    def zap_reject(self, run_id: RunId, step_id: StepId = None, comment: Comment = None) -> CallToolResult:
        """Refuse what a waiting step made: it fails, and what follows from it is skipped. Ask the person first."""
        return answer(self._short(hands.tell(self._desk.client, run_id, "reject", stepId=step_id, comment=comment)))

    @tool
    def zap_cancel(self, run_id: RunId) -> CallToolResult:
        """Stop a run. What a provider is busy with is told to stop, and is billed truthfully."""
        return answer(self._short(hands.tell(self._desk.client, run_id, "cancel")))

    def _order(self, body: Mapping[str, Any], key: str) -> dict[str, Any]:
        accepted: dict[str, Any] = self._desk.client.call("POST", "/api/zaps/run", body, key=key)
        return accepted

    def _buy(self, body: dict[str, Any], max_usd: float | None) -> dict[str, Any]:
        """Exactly what was quoted is ordered, and its whole cap is committed before. Raises Fault."""
        purse, key = self._desk.purse, str(uuid.uuid4())
        body = {**body, "maxUsd": float(purse.limit(max_usd))}
        quote = self._desk.client.call("POST", "/api/zaps/run", {**body, "mode": "plan"})
        if "slug" in body and quote["version"]:
            body["version"] = quote["version"]
        purse.hold(key, Decimal(str(quote["capUsd"])))
        try:
            accepted = self._order(body, key)
        except Fault as exc:
            if not exc.document.get("retryable"):  # else it may have been taken after all
                purse.give_back(key)
            raise
        purse.begun(key, accepted["runId"])
        return accepted

    def _brief(self, run_id: str) -> dict[str, Any]:
        return self._short(self._desk.read_run(run_id))

    def _short(self, snapshot: dict[str, Any]) -> dict[str, Any]:
        return brief(with_paths(snapshot, self._desk.client))

    async def _look(self, run_id: str) -> dict[str, Any]:
        """The snapshot, with some patience where the server is away for a while. Raises Fault."""
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return await asyncio.to_thread(self._desk.read_run, run_id)
            except Fault as exc:
                if not exc.document.get("retryable") or time.monotonic() >= until:
                    raise
            await asyncio.sleep(_EVERY_S)


def progress(snapshot: Mapping[str, Any]) -> tuple[float, float, str]:
    """How many steps' worth is done, of how many, and in words. Never less than before while the run goes forward."""
    steps = snapshot["steps"]
    done = sum(_share(step) for step in steps)
    busy = [step["stepId"] for step in steps if step["status"] == "running"]
    ended = sum(step["status"] in _ENDED for step in steps)
    words = f"{ended} of {len(steps)} steps"
    return done, float(len(steps)), f"{words}; at work: {', '.join(busy)}" if busy else words


def _share(step: Mapping[str, Any]) -> float:
    if step["status"] in _ENDED:
        return 1.0
    if step["status"] == "queued":
        return 0.0
    return _BEGUN + (1 - 2 * _BEGUN) * float(step["progress"] or 0)
