"""Every command of README.md and docs/ does what its page says."""

import re
from collections import Counter

import pytest

from tests.docs.blocks import REASONS, blocks_of, commands_of, pages
from tests.docs.place import Server, Shell

PAGES = {page: blocks_of(page, text) for page, text in pages().items()}
PROGRESS = re.compile(r"\d\d:\d\d:\d\d  \S")
ENDED = re.compile(r"  (?:done|failed|skipped|canceled)\b")
COMMANDS = [block for blocks in PAGES.values() for block in blocks if block.is_commands]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("docs")) as server:
        yield server


@pytest.fixture
def shell(server, tmp_path):
    shell = Shell(tmp_path, server)
    yield shell
    shell.close()


@pytest.mark.parametrize("page", [page for page, blocks in PAGES.items() if any(one.is_commands for one in blocks)])
def test_every_command_of_the_page_does_what_it_says(page, shell):
    for block in PAGES[page]:
        if block.file:
            shell.write(block.file, block.text)
        elif block.is_commands and not block.not_run:
            for command in commands_of(block):
                shell.run(command)


def test_a_line_of_progress_tells_an_end_and_leaves_room_around_it():
    # What else is told, and before or after which line, is for the speed of the machine to say.
    shown = [command.shown.splitlines() for block in COMMANDS for command in commands_of(block)]
    told = [(lines, at) for lines in shown for at, line in enumerate(lines) if PROGRESS.match(line)]

    assert [lines[at] for lines, at in told if not ENDED.search(lines[at])] == []
    assert [lines[at] for lines, at in told if {*lines[at - 1 : at], *lines[at + 1 : at + 2]} != {"…"}] == []


def test_whatever_is_not_run_has_a_reason_of_the_list():
    assert {block.place: block.not_run for block in COMMANDS if block.not_run and block.not_run not in REASONS} == {}


def test_most_blocks_are_run():
    left_alone = Counter(block.not_run for block in COMMANDS if block.not_run)

    assert left_alone.total() <= len(COMMANDS) * 0.3, left_alone
