"""docker-compose.yml without Docker: its very commands and environment, run as processes on the test's servers."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from config.local import BASE_DIR
from config.schedule import ENTRIES
from config.settings import CELERY_TASK_QUEUES
from tests.processes import PATIENCE_S, database_url, free_port, get, post, wait_until
from tests.servers import SERVERS

COMPOSE = yaml.safe_load((BASE_DIR / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
GIVEN = {"POSTGRES_PASSWORD": "a password", "SECRET_KEY": "a-key-that-is-long-enough-to-be-accepted"}


def filled(text, given):
    """What compose makes of ${NAME}, ${NAME:-default} and ${NAME:?error}."""

    def value(found):
        name, mark, rest = found.groups()
        if given.get(name):
            return given[name]
        assert mark != "?", f"{name} is not set: {rest}"
        return rest or ""

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", value, str(text))


class Containers:
    """Processes that are started as the file says."""

    def __init__(self, folder, database_name):
        self._port = free_port()
        self._folder = folder
        self._moved = {
            "DATABASE_URL": database_url(database_name),
            "REDIS_URL": SERVERS.redis_url,
            "ZAPS_DATA_DIR": str(folder),
            "ZAP_PUBLIC_URL": f"http://127.0.0.1:{self._port}",
        }
        self.running = {}

    @property
    def address(self):
        return f"http://127.0.0.1:{self._port}"

    def environment(self, name, **given):
        wanted = {key: filled(value, {**GIVEN, **given}) for key, value in SERVICES[name]["environment"].items()}
        assert set(self._moved) <= set(wanted)
        # What a container has besides: the image's PATH.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return {**wanted, **self._moved, "PATH": path, "PORT": str(self._port)}

    def start(self, name, **given):
        command = [word.replace("--port=8000", f"--port={self._port}") for word in SERVICES[name]["command"]]
        log = (self._folder / f"{name}.log").open("wb")
        self.running[name] = subprocess.Popen(
            command, cwd=BASE_DIR, env=self.environment(name, **given), stdout=log, stderr=log, start_new_session=True
        )
        log.close()
        return self.running[name]

    def is_healthy(self, name):
        kind, *command = SERVICES[name]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(command, cwd=BASE_DIR, env=self.environment(name), capture_output=True, check=False)
        return done.returncode == 0

    def log(self, name):
        return (self._folder / f"{name}.log").read_text()

    def close(self):
        for child in self.running.values():
            child.terminate()
        for name, child in self.running.items():
            try:
                child.wait(15)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            print(name, self.log(name))


@pytest.fixture
def containers(transactional_db, broker, tmp_path):
    from django.db import connection

    made = Containers(tmp_path, connection.settings_dict["NAME"])
    yield made
    made.close()


def test_every_part_becomes_healthy_and_together_they_make_a_film(containers):
    assert containers.start("migrate").wait(PATIENCE_S) == 0, containers.log("migrate")
    for name in ("web", "engine", "media", "drain", "beat"):
        containers.start(name, ZAP_OPEN_MODES="plan,mock")

    for name in ("web", "engine", "media", "drain", "beat"):
        wait_until(lambda name=name: containers.is_healthy(name), every_s=0.5)

    status, run = post(f"{containers.address}/api/zaps/run", {"slug": "hello-film", "mode": "mock"})
    assert status == 202
    assert run["statusUrl"].startswith(containers.address)
    wait_until(lambda: '"status":"done"' in get(run["statusUrl"])[1].replace(" ", "").split('"steps"')[0])


def test_a_worker_that_is_not_there_is_not_healthy(containers):
    assert not containers.is_healthy("engine")
    assert not containers.is_healthy("web")


def test_a_drain_worker_that_is_told_to_end_does_so_within_its_grace(containers):
    child = containers.start("drain")
    wait_until(lambda: containers.is_healthy("drain"), every_s=0.5)

    child.terminate()

    assert seconds(SERVICES["drain"]["stop_grace_period"]) == 30
    child.wait(30)


def seconds(text):
    return int(text.removesuffix("s"))


def test_the_parts_are_the_ones_that_the_design_names():
    assert set(OURS) == {"migrate", "web", "engine", "media", "drain", "beat"}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert SERVICES["valkey"]["image"] == "valkey/valkey:9"


def test_every_queue_has_exactly_one_worker_and_every_entry_a_queue():
    served = [
        queue
        for service in OURS.values()
        if "-Q" in service["command"]
        for queue in service["command"][service["command"].index("-Q") + 1].split(",")
    ]

    assert sorted(served) == sorted(queue.name for queue in CELERY_TASK_QUEUES)
    assert {entry.queue for entry in ENTRIES} <= set(served)


def test_all_that_serves_is_watched_and_given_time_to_end():
    for name, service in SERVICES.items():
        if name == "migrate":
            continue
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped", name
    for name in ("web", "engine", "media", "drain"):
        assert seconds(SERVICES[name]["stop_grace_period"]) >= 15, name


def test_nothing_starts_before_the_tables_are_there():
    assert OURS["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name, service in OURS.items():
        if name != "migrate":
            assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully", name


def test_media_is_on_one_volume_that_all_parts_share():
    for name, service in OURS.items():
        assert service["volumes"] == ["media:/var/lib/zaps"], name
        assert service["environment"]["ZAPS_DATA_DIR"] == "/var/lib/zaps", name
    assert {"postgres", "valkey", "media"} == set(COMPOSE["volumes"])


def test_no_secret_has_a_default():
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD"):
        with pytest.raises(AssertionError, match=f"{name} is not set"):
            [filled(value, {}) for value in SERVICES["web"]["environment"].values() if name in str(value)]


def test_the_image_installs_locked_packages_and_runs_without_privileges():
    lines = (BASE_DIR / "Dockerfile").read_text().splitlines()

    assert lines[0] == "FROM python:3.11-slim"
    assert "RUN pip install --require-hashes --requirement requirements.lock" in lines
    assert lines.index("USER zaps") > lines.index("COPY . .")
    assert lines.index("COPY requirements.lock .") < lines.index("COPY . .")
