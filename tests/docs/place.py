"""Where the commands of a page are run: a server, the vendors on loopback, and a shell in a folder like a checkout."""

import os
import re
import shlex
import signal
import subprocess
import sys
import threading

from providers.emulator.server import SHEETS, Emulator, variable
from tests.docs.blocks import ROOT
from tests.docs.likeness import learn, put_in
from tests.processes import free_port, wait_until, with_in_environment

_PATIENCE_S = 600
_END = "--- the command has ended with"
_FOREIGN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "ZAP", "DJANGO_")


class Server:
    """`zap up` with every vendor on the emulator, used with `with`. `environment` leads the `zap` command to it."""

    def __init__(self, folder):
        self._folder = folder
        self._emulator = Emulator()
        self.port = free_port()

    def __enter__(self):
        self._emulator.__enter__()
        self.environment = self._environment()
        self._log = (self._folder / "up.log").open("w")
        self._child = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(self.port)],
            cwd=ROOT, env=self.environment, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        wait_until(lambda: "Ctrl-C stops it." in self.said() or self._child.poll() is not None, within_s=_PATIENCE_S)
        return self

    def __exit__(self, *_):
        self._child.send_signal(signal.SIGINT)
        self._child.wait(90)
        self._log.close()
        self._emulator.__exit__(None, None, None)
        wait_until(lambda: not with_in_environment(str(self._folder)))

    def said(self):
        return (self._folder / "up.log").read_text()

    def _environment(self):
        vendors = {
            variable(name): url for name, url in self._emulator.urls.items() if name in SHEETS and name != "judge"
        }
        ours = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        bin_ = self._folder / "bin"
        bin_.mkdir()
        (bin_ / "zap").write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -P -m cli "$@"\n')
        (bin_ / "zap").chmod(0o755)
        return {
            **ours,
            **vendors,
            "PATH": f"{bin_}:{os.path.dirname(sys.executable)}:{ours['PATH']}",
            "HOME": str(self._folder),
            "DEBUG": "1",
            "ZAPS_DATA_DIR": str(self._folder / "data"),
            "ZAP_ALLOW_LOOPBACK": "1",
            "ZAP_FLOW_EVENTS": "everyone",
            "FAL_KEY": "any",
        }


class Shell:
    """One bash for a page. What its commands print and how they end is told by `run`."""

    def __init__(self, folder, server):
        self._folder, self._server, self.ids = folder, server, {}
        for entry in ROOT.iterdir():
            if not entry.name.startswith(".") and entry.name != "build":
                (folder / entry.name).symlink_to(entry)
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder, env=server.environment, text=True, bufsize=1, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def write(self, name, text):
        """A file of the page."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(put_in(text, self.ids))

    def run(self, command):
        """Raises AssertionError where it does not do what the page says."""
        text = put_in(command.text, self.ids).replace("localhost:8000", f"localhost:{self._server.port}")
        printed, ended = self._ask(text.replace("…", "any"))
        assert ended == command.exit, f"{command.place}: {text}\nended with {ended}:\n{printed}"
        if command.shown:
            assert learn(command.shown, printed.replace(f":{self._server.port}", ":8000"), self.ids), (
                f"{command.place}: {text}\nprints\n{printed}\nand not what the page shows\n{command.shown}"
            )

    def close(self):
        self._kill()
        self._bash.wait()
        self._bash.stdin.close()
        self._bash.stdout.close()

    def _kill(self):
        os.killpg(self._bash.pid, signal.SIGKILL)

    def _ask(self, text):
        # In this shell, so that variables last; from a string, so that nobody reads the shell's own input.
        self._bash.stdin.write(f"eval {shlex.quote(text)} </dev/null; ended=$?\necho; echo {_END!r} $ended\n")
        alarm = threading.Timer(_PATIENCE_S, self._kill)
        alarm.start()
        try:
            return self._answer(text)
        finally:
            alarm.cancel()

    def _answer(self, text):
        printed = []
        for line in self._bash.stdout:
            if line.startswith(_END):
                return re.sub(r"\x1b\[[\d;]*m", "", "".join(printed)), int(line.rpartition(" ")[2])
            printed.append(line)
        raise AssertionError(f"{text}\nended the shell, or took too long:\n{''.join(printed)}")
