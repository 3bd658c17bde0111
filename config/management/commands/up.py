"""Serve everything from one process tree: the web interface, the workers, the schedule, the embedded servers."""

import io
import os
import secrets
import signal
import socket
import sys
import threading
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connections

from config import local
from embedded import stack

_COLOURS = {"web": 36, "worker": 32, "drain": 33, "beat": 35}
_LOOK_S = 1.0
_SOON_S = 0.05


class Command(BaseCommand):
    """Runs until Ctrl-C or SIGTERM, then ends every process it started."""

    help = "Serve everything from one process tree: web, workers, schedule and the embedded servers."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        """Set up, start, watch."""
        end = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: end.set())
        _refuse_busy(host, port)
        call_command("prepare", stdout=io.StringIO())
        password = _first_admin()
        connections.close_all()
        address = settings.ZAP_PUBLIC_URL or f"http://{host}:{port}"
        roles = (stack.web(host, port), stack.worker(), stack.drain(), stack.beat())
        with stack.Stack(data=settings.ZAPS_DATA_DIR, say=self._say, env={"ZAP_PUBLIC_URL": address}) as tree:
            tree.start(*roles)
            is_greeted = False
            while not end.wait(_LOOK_S if is_greeted else _SOON_S):
                local.keep_hold()
                if not is_greeted and not tree.absent(*roles[1:]) and _listens(host, port):
                    self._greet(address, password)
                    is_greeted = True
            self.stdout.write("Stopping.")

    def _greet(self, address: str, password: str | None) -> None:
        lines = [f"Zaps is up at {address}", f"  API    {address}/api/zaps", f"  admin  {address}/admin/"]
        if password:
            lines.append(f"         first login: admin / {password} (shown once; change it there)")
        self.stdout.write("\n".join([*lines, "Ctrl-C stops it."]))
        self.stdout.flush()

    def _say(self, name: str, line: str) -> None:
        label = f"{name:<6} |"
        if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
            label = f"\x1b[{_COLOURS[name]}m{label}\x1b[0m"
        sys.stderr.write(f"{label} {line}\n")
        sys.stderr.flush()


def _refuse_busy(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise CommandError(f"{host}:{port} cannot be used: {exc.strerror}. Choose another with --port.") from exc


def _listens(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(_LOOK_S)
        return probe.connect_ex((host, port)) == 0


def _first_admin() -> str | None:
    """Make the superuser `admin` where there is no superuser at all. Returns the password, or None."""
    users = get_user_model()._default_manager
    if users.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    return password
