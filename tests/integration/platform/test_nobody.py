"""Root without user namespaces, as in some containers: PostgreSQL runs as `nobody`."""

import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

from embedded import process
from embedded.binaries import NoServer
from embedded.places import places_of
from embedded.postgres import Postgres

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@pytest.fixture
def no_namespaces(monkeypatch):
    monkeypatch.setattr(process, "needs_nobody", lambda: True)


@pytest.fixture
def places(no_namespaces):
    folder = Path(tempfile.mkdtemp(prefix="zaps-nobody-"))
    made = places_of(folder)
    yield made
    shutil.rmtree(folder)
    shutil.rmtree(made.sockets)


def test_the_server_runs_as_nobody_and_answers(places):
    server = Postgres(places, ephemeral=True)
    server.start()
    try:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        assert owner == 65534
    finally:
        server.stop()


def test_a_folder_that_nobody_may_enter_is_a_sentence(no_namespaces, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    places = places_of(tmp_path / "closed" / "data")

    with pytest.raises(NoServer, match="ZAPS_DATA_DIR"):
        Postgres(places, ephemeral=True).start()

    shutil.rmtree(places.sockets)
