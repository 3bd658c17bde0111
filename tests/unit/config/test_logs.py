import logging
import socket
import sys
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.logs import OneLine, hide, levels_of_others
from providers import http
from providers.contract import Call
from providers.home import Home


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


def test_libraries_that_write_addresses_are_quieter_than_we_are():
    assert levels_of_others("DEBUG")["urllib3"] == {"level": "ERROR"}
    assert levels_of_others("DEBUG")["botocore"] == {"level": "INFO"}
    assert levels_of_others("WARNING")["botocore"] == {"level": "WARNING"}


@pytest.mark.parametrize("broken", [b"", b" no colon\r\n: x\r\n"])
def test_an_address_that_was_called_is_not_logged_whatever_was_answered(caplog, broken):
    """urllib3 names the whole address of a server whose headings it cannot read."""
    caplog.set_level(logging.DEBUG)
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        Thread(target=answer, args=(server, broken), daemon=True).start()

        reply = http.hold(ask(f"{url}/a?signature=s3cret", Home.named_by_operator(url)))

    assert reply.status == 200
    assert "s3cret" not in caplog.text


def answer(server, broken):
    line, _ = server.accept()
    with line:
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + broken + b"\r\nok")


def ask(url, home):
    return (yield Call(method="GET", url=url, home=home))


SECRET = "4k9f2c8s1x7q3b5z4k9f2c8s1x7q3b5z4k9f2c8s"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"GET /api/runs/run_1?token=share_x_{SECRET} HTTP/1.1", "GET /api/runs/run_1?token=… HTTP/1.1"),
        (f"/events?a=1&token={SECRET}&b=2", "/events?a=1&token=…&b=2"),
        (f"next=%2Fruns%2Frun_1%3Ftoken%3Dshare_{SECRET}", "next=%2Fruns%2Frun_1%3Ftoken%3D…"),
        (f"key zap_4k9f2c8s_{SECRET}.", "key zap_4k9f2c8s_…."),
        (f"share_4k9f2c8s1x7q3b5z_{SECRET}", "share_4k9f2c8s1x7q3b5z_…"),
        ("prefix=zap_4k9f2c8s by=token:zap_4k9f2c8s", "prefix=zap_4k9f2c8s by=token:zap_4k9f2c8s"),
    ],
)
def test_what_opens_a_door_is_left_out_wherever_it_stands(said, shown):
    assert OneLine().format(record(said)).endswith(f" {shown}")


@given(
    before=st.text(max_size=40), after=st.text(max_size=40), word=st.sampled_from(["zap_4k9f2c8s", "share_" + "0" * 16])
)
def test_no_text_around_it_lets_a_secret_through(before, after, word):
    assert SECRET not in hide(f"{before}{word}_{SECRET}{after}")


@given(
    shown=st.text(st.characters(exclude_characters="&\"'<>", exclude_categories=["Z", "C"]), min_size=1, max_size=60)
)
def test_whatever_is_shown_as_a_token_in_an_address_is_left_out(shown):
    assert hide(f"GET /api/runs/run_1?a=1&token={shown}&b=2 HTTP/1.1") == "GET /api/runs/run_1?a=1&token=…&b=2 HTTP/1.1"
