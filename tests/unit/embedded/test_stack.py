"""A tree of processes goes on whatever becomes of whoever listens to it, and passes on what they say to the end."""

import sys

import pytest

from embedded.stack import Role, Stack
from tests.processes import wait_until


def role(name, script):
    return Role(name=name, command=(sys.executable, "-c", script))


@pytest.fixture
def tree(tmp_path):
    """Makes one; it is closed in the end."""
    made = []

    def make(say):
        made.append(Stack(data=tmp_path, say=say))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("gone", [BrokenPipeError, ValueError("I/O operation on closed file.")])
def test_what_nobody_can_be_told_ends_nothing(tree, gone):
    said = []

    def say(name, line):
        said.append(line)
        raise gone

    here = tree(say)

    here.start(role("talker", "import time; print('ready', flush=True); time.sleep(600)"))
    wait_until(lambda: said)

    here.start(role("other", "import time; time.sleep(600)"))
    assert here.pid("talker")
    assert here.pid("other")


def test_what_cannot_be_started_keeps_nothing_else_from_it(tree):
    said = []
    here = tree(lambda name, line: said.append((name, line)))

    with pytest.raises(FileNotFoundError):
        here.start(Role(name="missing", command=("/nowhere",)))

    wait_until(lambda: ("missing", "cannot be started: No such file or directory") in said)
    here.start(role("other", "import time; time.sleep(600)"))
    assert here.pid("other")


def test_the_last_words_of_a_process_are_heard(tree):
    said = []
    here = tree(lambda name, line: said.append(line))
    lines = [f"line {number}" for number in range(1000)]

    here.start(role("dying", "import sys; sys.stdout.write('\\n'.join(f'line {n}' for n in range(1000)))"))
    wait_until(lambda: any("ended unasked" in line for line in said))

    assert said[:1001] == [*lines, "ended unasked; it starts again in 0.25 s"]
