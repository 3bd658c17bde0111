"""What steps write while they run: kept in the order of its sequence, without a gap, up to a cap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from core.again import again
from core.errors import BadInput, Problem
from flows import leases, news
from flows.claims import lost
from flows.fields import storable
from flows.models import FlowAttempt, FlowOutput
from flows.refusals import OutputGap
from flows.states import AttemptStatus, OutputKind

MAX_PIECES, MAX_PIECE, MAX_ATTEMPT_BYTES = 500, 64 * 1024, 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How far an attempt's output is stored. `is_cut`: what came beyond its cap was thrown away."""

    last_seq: int
    is_cut: bool


@again
@transaction.atomic
def append(attempt: str, token: str, pieces: Sequence[Mapping[str, Any]], *, at: datetime | None = None) -> Stored:
    """Store pieces `{seq, kind, text}`, seq counted from 1. Those that are stored already are passed over.

    Raises BadInput, OutputGap when something is missing before the first, and what a heartbeat raises.
    """
    held = leases.key(attempt, token)
    _check(pieces)
    moment = at or Now()
    # The attempt alone: whoever ends a run locks the run before its attempt.
    rows = FlowAttempt.objects.select_for_update(of=("self",)).filter(
        run__run_id=held["run"], number=held["number"], token_digest=held["digest"], status=AttemptStatus.RUNNING,
        lease_until__gte=moment,
    )  # fmt: skip
    row = rows.first()
    if row is None:
        raise lost(held)
    return _store(row, pieces, moment)


def _store(row: FlowAttempt, pieces: Sequence[Mapping[str, Any]], moment: datetime | Now) -> Stored:
    fresh = [piece for piece in pieces if piece["seq"] > row.output_seq]
    if fresh and fresh[0]["seq"] != row.output_seq + 1:
        raise OutputGap(f"The next piece is {row.output_seq + 1}.", expectedSeq=row.output_seq + 1)
    kept: list[FlowOutput] = []
    for piece in fresh:
        size = len(piece["text"].encode())
        row.output_seq = piece["seq"]
        if row.is_output_cut or row.output_bytes + size > MAX_ATTEMPT_BYTES:
            row.is_output_cut = True
            continue
        row.output_bytes += size
        kept.append(
            FlowOutput(attempt=row, seq=piece["seq"], kind=piece["kind"], text=piece["text"], created_at=moment)
        )
    FlowOutput.objects.bulk_create(kept)
    row.save(update_fields=["output_seq", "output_bytes", "is_output_cut"])
    if fresh:
        news.written_soon(row.run_id, row.number, row.output_seq)
    return Stored(last_seq=row.output_seq, is_cut=row.is_output_cut)


def _check(pieces: Sequence[Mapping[str, Any]]) -> None:
    problems = list(_problems(pieces))
    if problems:
        raise BadInput("The output cannot be stored.", problems=problems[:20])


def _problems(pieces: Sequence[Mapping[str, Any]]) -> list[Problem]:
    if not 0 < len(pieces) <= MAX_PIECES:
        return [_problem("output", f"From 1 to {MAX_PIECES} pieces can be sent at once.")]
    found = []
    for place, piece in enumerate(pieces):
        seq, kind, text = piece.get("seq"), piece.get("kind"), piece.get("text")
        here = f"output[{place}]"
        if not isinstance(seq, int) or isinstance(seq, bool) or seq < 1 or seq >= 2**31:
            found.append(_problem(f"{here}.seq", "This is a whole number from 1."))
        elif place and isinstance(pieces[place - 1].get("seq"), int) and seq != pieces[place - 1]["seq"] + 1:
            found.append(_problem(f"{here}.seq", "Pieces follow one another without a gap."))
        if not isinstance(kind, str) or kind not in set(OutputKind):
            found.append(_problem(f"{here}.kind", f"This is one of {', '.join(OutputKind)}."))
        if not isinstance(text, str) or not storable(text) or len(text.encode()) > MAX_PIECE:
            found.append(_problem(f"{here}.text", f"This is a text without NUL of at most {MAX_PIECE} bytes."))
    return found


def _problem(path: str, message: str) -> Problem:
    return Problem(code="OUTPUT_INVALID", message=message, path=path)
