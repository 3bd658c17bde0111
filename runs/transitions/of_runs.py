"""The moves of a run itself."""

from psycopg.types.json import Jsonb

from core.moves import NOW, Computed, later
from runs.states import RunStatus, Stage, WaitReason
from runs.transitions.writing import Writer

_FIRST_DUE = "(SELECT min(due_at) FROM steps WHERE run_id = %s AND status = 'waiting')"  # null: none decides by itself


class RunMoves(Writer):
    """What happens to the run as a whole."""

    def start_run(self) -> None:
        """The first step begins."""
        self._move_run("started")

    def keep_waiting(self, reason: WaitReason) -> None:
        """Nothing moves until a person decides, or one of its steps decides by itself when its time is over."""
        if self.run.status != RunStatus.WAITING:
            self._move_run("held", reason=reason)
        self._changes |= {"wait_reason": reason, "stage": Stage.REVIEW}
        self._look_again(Computed(_FIRST_DUE, (self.run.pk,)))

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

    def delete_run(self) -> None:
        """Nobody wants to keep it: it stays as it ended, and only its numbers stay."""
        self._note("run.deleted", self.run.run_id)
        self._changes |= {
            "deleted_at": NOW, "is_kept": False, "source": "", "prompts": Jsonb({}), "inputs": Jsonb({}),
            "options": Jsonb({}), "content_hash": "", "session_id": "", "output": "", "zap_url": "",
        }  # fmt: skip

    def keep_run(self, keep: bool) -> None:
        """Its owner's retention spares it, or does not."""
        self._changes["is_kept"] = keep
        self._note("run.kept" if keep else "run.let_go", self.run.run_id)

    def said(self, kind: str, subject: str) -> None:
        """A person said something of a result."""
        self._note(f"feedback.{kind}", subject)

    def check_run_in(self, seconds: float, *, stage: Stage, or_when_a_step_is_due: bool) -> None:
        """Nothing happened to the run itself; look again then, or earlier for a step that waits for a person."""
        due_at = later(seconds)
        if or_when_a_step_is_due:
            due_at = Computed(f"least({due_at.sql}, {_FIRST_DUE})", (*due_at.values, self.run.pk))
        self._look_again(due_at)
        if stage != self.run.stage:
            self._changes["stage"] = stage

    def _look_again(self, at: Computed) -> None:
        """The bell that brought us here is answered; the next one must not be taken for it."""
        self._changes |= {"due_at": at, "rung_at": None}
