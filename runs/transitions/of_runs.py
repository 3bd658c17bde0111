"""The moves of a run itself."""

from core.moves import NOW, later
from runs.states import Stage, WaitReason
from runs.transitions.writing import Writer


class RunMoves(Writer):
    """What happens to the run as a whole."""

    def start_run(self) -> None:
        """The first step begins."""
        self._move_run("started")

    def hold_run(self, reason: WaitReason) -> None:
        """Nothing moves until a person decides."""
        self._move_run("held", reason=reason, wait_reason=reason, due_at=None, stage=Stage.REVIEW)

    def resume_run(self) -> None:
        """What it waited for has come."""
        self._move_run("resumed", wait_reason=None, due_at=NOW)

    def finish_run(self, *, zap_url: str) -> None:
        """Every step is done."""
        self._end_run("finished", Stage.COMPLETE, zap_url=zap_url)

    def fail_run(self, code: str) -> None:
        """A step failed and nothing else is at work."""
        self._end_run("failed", Stage.FAILED, reason=code, error=code)

    def cancel_run(self) -> None:
        """Somebody asked to stop. Results that arrive later are refused."""
        self._end_run("canceled", Stage.CANCELED)

    def reopen_run(self, reason: str) -> None:
        """Somebody wants more of it: it goes on, with the steps that are reopened."""
        self._move_run(
            "reopened", reason=reason, wait_reason=None, due_at=NOW, finished_at=None, error="", zap_url="",
            stage=Stage.GENERATING,
        )  # fmt: skip

    def said(self, kind: str, subject: str) -> None:
        """A person said something of a result."""
        self._note(f"feedback.{kind}", subject)

    def check_run_in(self, seconds: float | None, *, stage: Stage) -> None:
        """Nothing happened to the run itself; look again then, or, with None, when somebody rings."""
        self._changes["due_at"] = None if seconds is None else later(seconds)
        if stage != self.run.stage:
            self._changes["stage"] = stage
