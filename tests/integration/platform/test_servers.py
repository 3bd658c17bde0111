"""The embedded servers: shared by all who name the same folder, gone soon after the last, whatever happens to them."""

import signal
import subprocess
import sys
import threading

import psycopg
import pytest
import redis

from embedded import servers
from embedded.binaries import NoServer
from embedded.places import places_of
from tests.processes import is_alive, wait_until, with_in_environment

HOLD = """
import sys, time
from pathlib import Path
from embedded.servers import hold
held = hold(Path(sys.argv[1]), ephemeral=True)
print(held.database_url, flush=True)
time.sleep(600)
"""


@pytest.fixture
def data(tmp_path):
    """A folder with a space in its name."""
    folder = tmp_path / "my data"
    yield folder
    wait_until(lambda: not with_in_environment(str(folder)))


NOTE = "CREATE TABLE note AS SELECT 'kept' AS text"


def holder(data):
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(data)], stdout=subprocess.PIPE, text=True)
    return child, child.stdout.readline().strip()


def end(child, by=signal.SIGKILL):
    child.send_signal(by)
    child.wait()
    child.stdout.close()


def ask(url, query="SELECT 1"):
    with psycopg.connect(url, autocommit=True) as connection:
        done = connection.execute(query)
        return done.fetchone()[0] if done.description else None


def test_both_servers_answer(data):
    with servers.running(data, ephemeral=True) as held:
        assert ask(held.database_url, "SELECT current_database()") == "zaps"
        with redis.from_url(held.redis_url) as client:
            assert client.ping() is True


def test_what_was_written_is_there_after_a_restart(tmp_path):
    data = tmp_path / "kept"
    with servers.running(data) as held:
        assert ask(held.database_url, "SHOW fsync") == "on"
        ask(held.database_url, NOTE)
        with redis.from_url(held.redis_url) as client:
            client.set("note", "kept")
    wait_until(lambda: not with_in_environment(str(data)))

    with servers.running(data) as held:
        assert ask(held.database_url, "SELECT text FROM note") == "kept"
        with redis.from_url(held.redis_url) as client:
            assert client.get("note") == b"kept"
    wait_until(lambda: not with_in_environment(str(data)))


def test_two_processes_share_one_pair_of_servers(data):
    first, first_url = holder(data)
    try:
        with servers.running(data, ephemeral=True) as held:
            assert held.database_url == first_url
            assert (
                len([pid for pid in with_in_environment("embedded.keeper") if pid in with_in_environment(str(data))])
                == 1
            )
    finally:
        end(first)


def test_the_servers_outlive_the_process_that_started_them_while_another_holds_them(data):
    first, _ = holder(data)
    with servers.running(data, ephemeral=True) as held:
        end(first)

        assert ask(held.database_url) == 1
        assert held.is_held()


def test_ten_that_start_at_once_find_the_same_servers(data):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(servers.hold(data, ephemeral=True))) for _ in range(10)
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({held.database_url for held in found}) == 1
    assert all(ask(held.database_url) == 1 for held in found)
    for held in found:
        held.release()


def test_nothing_is_left_after_the_last_holder_was_killed(data):
    child, url = holder(data)
    assert ask(url) == 1

    end(child, by=signal.SIGKILL)

    wait_until(lambda: not with_in_environment(str(data)))
    assert not data.exists()


def test_the_servers_die_with_their_keeper_and_come_back_with_a_new_one(data):
    with servers.running(data, ephemeral=True) as held:
        ask(held.database_url, NOTE)
        before = held.database_url
        mine = with_in_environment(str(data))
        keeper = next(pid for pid in with_in_environment("embedded.keeper") if pid in mine)

        subprocess.run(["/bin/kill", "-9", str(keeper)], check=True)

        wait_until(lambda: not any(is_alive(pid) for pid in mine))
        assert not held.is_held()
        held.renew()
        assert held.database_url == before
        assert ask(held.database_url, "SELECT text FROM note") == "kept"


def test_a_server_that_was_killed_by_somebody_is_started_again(data):
    with servers.running(data, need=(servers.VALKEY,), ephemeral=True) as held:
        with redis.from_url(held.redis_url) as client:
            pid = client.info("server")["process_id"]

        subprocess.run(["/bin/kill", "-9", str(pid)], check=True)

        wait_until(lambda: not is_alive(pid))
        wait_until(lambda: answers(held.redis_url))


def answers(url):
    try:
        with redis.from_url(url) as client:
            return client.ping()
    except redis.ConnectionError:
        return False


def test_a_server_can_be_stopped_killed_and_started_on_request(data):
    with servers.running(data, ephemeral=True) as held:
        ask(held.database_url, NOTE)
        for verb in (held.stop, held.kill):
            verb(servers.POSTGRES)
            with pytest.raises(psycopg.OperationalError):
                ask(held.database_url)

            held.start(servers.POSTGRES)

            assert ask(held.database_url, "SELECT text FROM note") == "kept"


def test_no_commit_is_lost_when_postgresql_is_killed(data):
    with servers.running(data, need=(servers.POSTGRES,), ephemeral=True) as held:
        ask(held.database_url, NOTE)
        with psycopg.connect(held.database_url, autocommit=True) as connection:
            for number in range(200):
                connection.execute("INSERT INTO note VALUES (%s)", [str(number)])
            held.kill(servers.POSTGRES)

        held.start(servers.POSTGRES)

        assert ask(held.database_url, "SELECT count(*) FROM note") == 201


def test_only_what_is_needed_is_started(data):
    with servers.running(data, need=(servers.VALKEY,), ephemeral=True) as held:
        assert "postgres" not in [path.name for path in data.iterdir()]
        assert not (data / "pg").exists()
        with pytest.raises(KeyError):
            assert held.database_url


def test_a_server_that_cannot_start_is_a_sentence(data, monkeypatch):
    monkeypatch.setenv("ZAPS_PG_BIN", "/nonexistent")

    with pytest.raises(NoServer, match="PostgreSQL was not found"):
        servers.hold(data, ephemeral=True)


def test_the_sockets_folder_is_private_and_its_path_short(tmp_path):
    deep = tmp_path / ("a" * 100) / ("b" * 100)

    places = places_of(deep)

    assert len(str(places.keeper_socket)) < 100
    assert places.sockets.stat().st_mode & 0o777 == 0o700
    places.sockets.rmdir()


def test_a_sockets_folder_that_somebody_else_laid_out_is_refused(tmp_path):
    places = places_of(tmp_path / "data")
    places.sockets.rmdir()
    places.sockets.symlink_to(tmp_path)

    with pytest.raises(NoServer, match="belongs to somebody else"):
        places_of(tmp_path / "data")

    places.sockets.unlink()
