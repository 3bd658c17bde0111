"""Real workers, schedule and web server on the test's own database, to start, watch and kill."""

import json
import os
import random
import socket
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from embedded import stack
from tests.servers import DATA, SERVERS

PATIENCE_S = 300.0  # what only a fault uses up, however slow the machine


class Processes:
    """The processes of one test. `environment` may be added to before the first `start`."""

    def __init__(self, database_name):
        self.environment = {"DATABASE_URL": database_url(database_name)}
        self.logs = {}
        self._port = free_port()
        self._tree = None
        self._roles = {
            "worker": stack.worker(threads=4),
            "drain": stack.drain(),
            "beat": stack.beat(),
            "web": stack.web("127.0.0.1", self._port),
        }

    @property
    def address(self):
        """Where `web` answers."""
        return f"http://127.0.0.1:{self._port}"

    def start(self, *names):
        """Start them, or start them again after `kill` and `stop`; they are at work when this returns."""
        if self._tree is None:
            self._tree = stack.Stack(data=DATA, say=self._note, env=self.environment)
        roles = [self._roles[name] for name in names]
        self._tree.start(*roles)
        assert self._tree.wait_present(*roles, within_s=PATIENCE_S), self.said()
        if "web" in names:
            wait_until(lambda: get(f"{self.address}/healthz")[0] == 200)

    def kill(self, name):
        """SIGKILL; nobody starts it again but `start`."""
        self._tree.kill(name)

    def stop(self, *names):
        """SIGTERM, and wait for the end."""
        self._tree.stop(*names)

    def pid(self, name):
        """None when it does not run."""
        return self._tree.pid(name) if self._tree else None

    def said(self, name=None):
        """What a process printed, or all of them."""
        names = [name] if name else list(self.logs)
        return "\n".join(f"{each} | {line}" for each in names for line in self.logs.get(each, []))

    def close(self):
        if self._tree is not None:
            self._tree.close()

    def _note(self, name, line):
        self.logs.setdefault(name, []).append(line)


def database_url(name):
    """The test servers' address of another database."""
    return urlunsplit(urlsplit(SERVERS.database_url)._replace(path=f"/{name}"))


def wait_until(ready, *, within_s=PATIENCE_S, every_s=0.05):
    """What `ready` returns once it is true. Fails the test when the time is up, which only a fault should use up."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(every_s)
    raise AssertionError(f"Nothing came of it within {within_s} s.")


def get(url):
    """Status and text of an address; 0 and "" while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        return exc.code, exc.read().decode()
    except OSError:
        return 0, ""


def post(url, body):
    """Status and JSON of an answer to a POST."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, json.loads(answer.read())


def free_port():
    """A port that nobody has, of those that the kernel gives to no connection: none takes it before its server does."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("A hundred ports were tried, and all are taken.")


def is_alive(pid):
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def with_in_environment(text):
    """The pids of all processes whose environment or command line holds `text`."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            held = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in held and is_alive(folder.name):
            found.append(int(folder.name))
    return found
