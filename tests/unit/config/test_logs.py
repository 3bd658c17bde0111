import logging
import sys

from config.logs import OneLine


def record(message, *, error=None):
    made = logging.LogRecord("runs.dispatch", logging.WARNING, "f.py", 1, message, (), error)
    made.created = 1_764_000_000.25
    return made


def test_an_event_is_one_line_of_key_and_value():
    line = OneLine().format(record("bell=lost error=OSError"))

    assert line == "2025-11-24T16:00:00.250Z level=warning logger=runs.dispatch bell=lost error=OSError"


def test_a_message_cannot_forge_a_second_line():
    line = OneLine().format(record("name=x\r\n2025 level=info logger=root all=well"))

    assert "\n" not in line
    assert "\r" not in line
    assert r"name=x\r\n2025" in line


def test_a_traceback_stays_on_the_line():
    try:
        raise ValueError("no")
    except ValueError:
        line = OneLine().format(record("task=failed", error=sys.exc_info()))

    assert len(line.splitlines()) == 1
    assert 'task=failed trace="Traceback' in line
