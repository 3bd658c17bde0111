"""Whoever brings the database up to date keeps the others out, whichever command they are."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from cli import inprocess
from cli.faults import Fault
from config.management.commands.prepare import LOCK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def somebody_prepares(monkeypatch):
    """Another process holds the lock, and this one does not wait for it longer than a moment."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '50ms'")
        yield
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_a_server_that_starts_waits_for_another(somebody_prepares):
    with pytest.raises(OperationalError):
        call_command("prepare")


def test_a_command_of_the_command_line_waits_for_a_server_that_starts(somebody_prepares):
    with pytest.raises(Fault) as refused:
        inprocess.set_up()

    assert "lock timeout" in str(refused.value.__cause__)


def test_where_nobody_else_does_the_command_line_prepares_and_lets_go(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)

    inprocess.set_up()

    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as other:
        assert other.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone() == (True,)
