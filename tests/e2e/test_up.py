"""`manage.py up`: one tree that serves, stops cleanly, and leaves nobody behind."""

import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest

from config.local import BASE_DIR
from tests.processes import free_port, get, is_alive, post, wait_until, with_in_environment


@pytest.fixture
def up(tmp_path, request):
    """A running tree in a folder of its own, as `./dev up` starts it."""
    data, port = tmp_path / "my zaps", free_port()
    foreign = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ZAP_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {"ZAPS_DATA_DIR": str(data), "DEBUG": "1"}
    log = (tmp_path / "log").open("w+")
    command = [sys.executable, *getattr(request, "param", ["manage.py", "up"]), "--port", str(port)]
    child = subprocess.Popen(command, cwd=BASE_DIR, env=env, stdout=log, stderr=subprocess.STDOUT)

    class Up:
        address, folder, pid = f"http://127.0.0.1:{port}", data, child.pid

        @staticmethod
        def said():
            return (tmp_path / "log").read_text()

        @staticmethod
        def send(number):
            child.send_signal(number)
            return child.wait(90)

    wait_until(lambda: "Ctrl-C stops it." in Up.said() or child.poll() is not None)
    yield Up
    print(Up.said())
    if child.poll() is None:
        child.kill()
        child.wait()
    log.close()
    wait_until(lambda: not with_in_environment(str(data)))


def test_it_serves_a_film_shows_the_first_login_once_and_stops_on_ctrl_c(up):
    login = re.search(r"first login: admin / (\S+)", up.said())
    assert login
    assert f"Zaps is up at {up.address}" in up.said()
    assert get(f"{up.address}/readyz")[0] == 200
    _, run = post(f"{up.address}/api/zaps/run", {"slug": "hello-film", "mode": "mock"})
    wait_until(lambda: '"status":"done"' in get(run["statusUrl"])[1].replace(" ", "").split('"steps"')[0])
    begun = time.monotonic()

    assert up.send(signal.SIGINT) == 0

    assert time.monotonic() - begun < 60
    wait_until(lambda: not with_in_environment(str(up.folder)))


@pytest.mark.parametrize("up", [["manage.py", "up"], ["-m", "cli", "up"]], ids=["manage", "zap"], indirect=True)
def test_sigterm_stops_it_just_as_cleanly(up):
    assert up.send(signal.SIGTERM) == 0

    wait_until(lambda: not with_in_environment(str(up.folder)))


def test_a_sigkill_of_the_supervisor_leaves_no_orphan(up):
    assert len(with_in_environment(str(up.folder))) >= 7  # four processes of ours, the keeper, two servers

    up.send(signal.SIGKILL)

    wait_until(lambda: not with_in_environment(str(up.folder)))


def test_it_survives_the_death_of_the_servers_keeper(up):
    mine = with_in_environment(str(up.folder))
    keeper = next(pid for pid in with_in_environment("embedded.keeper") if pid in mine)
    servers = [server.pid for server in psutil.Process(keeper).children()]

    os.kill(keeper, signal.SIGKILL)

    wait_until(lambda: not any(map(is_alive, [keeper, *servers])))
    wait_until(lambda: get(f"{up.address}/readyz")[0] == 200)
    wait_until(lambda: '"broker": "ok"' in get(f"{up.address}/readyz")[1])
    _, run = post(f"{up.address}/api/zaps/run", {"slug": "hello-film", "mode": "mock"})
    wait_until(lambda: '"status":"done"' in get(run["statusUrl"])[1].replace(" ", "").split('"steps"')[0])


def test_a_busy_port_is_a_sentence(up):
    env = {**os.environ, "ZAPS_DATA_DIR": str(up.folder)}
    port = up.address.rpartition(":")[2]

    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--port", port],
        cwd=BASE_DIR, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"CommandError: 127.0.0.1:{port} cannot be used: Address already in use. Choose another with --port."
    )


def test_sigterm_is_heard_while_the_workers_have_not_come_up(tmp_path):
    never = "import os, sys\nif 'celery' in sys.orig_argv:\n    os._exit(1)\n"
    (tmp_path / "sitecustomize.py").write_text(never)
    foreign = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ZAP_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    env |= {"ZAPS_DATA_DIR": str(tmp_path / "data"), "DEBUG": "1", "PYTHONPATH": str(tmp_path)}
    words = [sys.executable, "-m", "cli", "up", "--port", str(free_port())]
    with subprocess.Popen(words, cwd=BASE_DIR, env=env, stderr=subprocess.PIPE, text=True) as child:
        next(line for line in child.stderr if "ended unasked" in line)
        begun = time.monotonic()
        child.send_signal(signal.SIGTERM)

        child.communicate(timeout=90)
        assert child.returncode == 0
        assert time.monotonic() - begun < 30
    wait_until(lambda: not with_in_environment(str(tmp_path / "data")))
