"""What a claimed run is carried out by: the program, its folder, its environment and what it reads."""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow_worker.packages import Package, PackageBroken, inside

SHIM = Path(__file__).parent / "module_runner.mjs"
#: of the worker's own environment, what a step may see: nothing that could be a secret
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "TERM")
RUNNERS = ("bun", "node", "python", "shell")
_LOOKED_UP = ("bun", "node")
_MODULE = re.compile(r"\bexport\s+default\b|\bas\s+default\b")
# A comment stands behind a space or a bracket; what stands behind a colon or a quote is an address or a pattern.
_COMMENT = re.compile(r"(?<![^\s;{}()])(?://[^\n]*|/\*.*?\*/)", re.DOTALL)


class CannotRun(Exception):
    """This machine cannot carry the step out; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to be started. `feed` is what it reads from its standard input."""

    words: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]
    feed: bytes
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the operator of this worker allows: names of the environment to pass on, and code-mode with its program."""

    pass_on: tuple[str, ...] = ()
    code_mode: tuple[str, ...] = ()


def runners_here() -> tuple[str, ...]:
    """The runners that this machine has the programs for. `code-mode` is none of them: somebody must allow it."""
    return tuple(runner for runner in RUNNERS if runner not in _LOOKED_UP or shutil.which(runner))


def command_for(claim: Mapping[str, Any], package: Package, around: Surroundings) -> Command:
    """How to carry out a claimed run. Raises CannotRun."""
    step = claim["step"]
    try:
        script, cwd = inside(package.root, step["script"]), inside(package.root, step.get("cwd") or ".")
    except PackageBroken as exc:
        raise CannotRun(str(exc)) from None
    if not script.is_file():
        raise CannotRun(f"There is no script {step['script']!r}.")
    return Command(
        words=(*_program(claim["runner"], script, around), str(script)),
        cwd=cwd,
        environment={**_kept(around), **_told(claim)},
        feed=json.dumps(_context(claim, package), ensure_ascii=False).encode(),
        timeout_s=float(step.get("timeoutMs") or 300_000) / 1000,
    )


def _program(runner: str, script: Path, around: Surroundings) -> tuple[str, ...]:
    if runner == "python":
        return (sys.executable, "-u")
    if runner == "shell":
        return ("/bin/sh",)
    if runner == "code-mode":
        if not around.code_mode:
            raise CannotRun("code-mode is not allowed on this worker: start it with --code-mode PROGRAM.")
        return around.code_mode
    found = shutil.which(runner) if runner in _LOOKED_UP else None
    if found is None:
        raise CannotRun(f"There is no {runner!r} on this machine.")
    return (found, str(SHIM)) if _is_module(script) else (found,)


def _is_module(script: Path) -> bool:
    """Whether the script hands us a function to call, rather than doing its work when it is run."""
    return bool(_MODULE.search(_COMMENT.sub("", script.read_text(encoding="utf-8", errors="replace"))))


def _kept(around: Surroundings) -> dict[str, str]:
    return {name: os.environ[name] for name in (*KEPT, *around.pass_on) if name in os.environ}


def _told(claim: Mapping[str, Any]) -> dict[str, str]:
    return {
        "CODEX_FLOW_EVENT_ID": str(claim["event"]["id"]),
        "CODEX_FLOW_RUN_ID": str(claim["runId"]),
        "CODEX_FLOW_ATTEMPT_ID": str(claim["attemptId"]),
        "CODEX_FLOW_REPLAY": "1" if claim["replay"] else "0",
        "CODEX_FLOW_LAUNCHED_BY": "zap-flow-worker",
    }


def _context(claim: Mapping[str, Any], package: Package) -> dict[str, Any]:
    flow = {
        "name": claim["flowName"],
        "version": claim["flowVersion"],
        "root": str(package.root),
        "step": claim["stepName"],
        "event": claim["event"],
    }
    if claim.get("config") is not None:
        flow["config"] = claim["config"]
    runtime = {
        "eventId": claim["event"]["id"],
        "runId": claim["runId"],
        "attemptId": claim["attemptId"],
        "attemptNumber": claim["attemptNumber"],
        "replay": claim["replay"],
        "launchedBy": "zap-flow-worker",
    }
    return {"flow": flow, "runtime": runtime}
