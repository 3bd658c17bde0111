"""How `zap mcp` ends where its client does not hang up."""

import json
import os
import signal
import subprocess
import sys

import pytest

from config.local import BASE_DIR

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.fixture
def server():
    """One that serves, of an address where nobody is."""
    env = {**os.environ, "ZAP_API_URL": "http://127.0.0.1:9"}
    words = [sys.executable, "-m", "cli", "mcp"]
    child = subprocess.Popen(words, cwd=BASE_DIR, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with child:
        child.stdin.write(json.dumps(HELLO) + "\n")
        child.stdin.flush()
        assert json.loads(child.stdout.readline())["id"] == 1
        yield child
        child.kill()


def test_ctrl_c_ends_it_at_once(server):
    server.send_signal(signal.SIGINT)

    assert server.wait(30) == 130
