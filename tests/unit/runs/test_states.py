"""The tables of moves, held against pictures drawn by hand."""

import pytest

from runs.states import ATTEMPT_MOVES, RUN_MOVES, STEP_MOVES

RUN_PICTURE = """
            queued   running  waiting  done     failed   canceled
started     running  .        .        .        .        .
held        .        waiting  .        .        .        .
resumed     .        .        running  .        .        .
finished    .        done     .        .        .        .
failed      failed   failed   failed   .        .        .
canceled    canceled canceled canceled .        .        .
reopened    .        .        running  running  running  running
"""

STEP_PICTURE = """
            queued   running  waiting  done     failed   skipped  canceled
started     running  .        .        .        .        .        .
held        waiting  waiting  .        .        .        .        .
resumed     .        .        running  .        .        .        .
finished    .        done     .        .        .        .        .
approved    .        .        done     .        .        .        .
reused      done     .        .        .        .        .        .
failed      .        failed   failed   .        .        .        .
skipped     skipped  .        .        .        .        .        .
canceled    canceled canceled canceled .        .        .        .
reopened    .        .        queued   queued   queued   queued   queued
"""

ATTEMPT_PICTURE = """
            planned    submitting accepted  settling  unknown   canceling done failed canceled
submitting  submitting .          .         .         .         .         .    .      .
postponed   .          planned    .         .         planned   .         .    .      .
accepted    .          accepted   .         .         accepted  .         .    .      .
unknown     .          unknown    .         .         .         .         .    .      .
settling    .          .          settling  .         .         .         .    .      .
rendering   settling   .          .         .         .         .         .    .      .
done        .          .          .         done      .         .         .    .      .
failed      failed     failed     failed    failed    failed    .         .    .      .
canceling   .          canceling  canceling canceling canceling .         .    .      .
canceled    canceled   .          .         canceled  .         canceled  .    .      .
"""


def draw(moves, states):
    """The table as a picture: a row a move, a column a state."""
    return {event: [move.target if state in move.sources else "." for state in states] for event, move in moves.items()}


@pytest.mark.parametrize(
    ("moves", "picture"),
    [(RUN_MOVES, RUN_PICTURE), (STEP_MOVES, STEP_PICTURE), (ATTEMPT_MOVES, ATTEMPT_PICTURE)],
    ids=["run", "step", "attempt"],
)
def test_the_moves_are_the_ones_in_the_picture(moves, picture):
    header, *rows = [line.split() for line in picture.strip().splitlines()]
    expected = {event: targets for event, *targets in rows}

    drawn = draw(moves, header)

    assert drawn == expected
