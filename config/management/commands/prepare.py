"""Bring the database up to date: tables, schedule, bundled recipes. Costs next to nothing when it already is."""

from typing import Any

from django.core.management import BaseCommand, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

LOCK = 0x7A617073  # one process at a time; the others wait and then find nothing to do


class Command(BaseCommand):
    """Safe to run at any time, and by many at once."""

    help = "Bring the database up to date: tables, schedule, bundled recipes."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate and load, under a lock of the whole database."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            try:
                executor = MigrationExecutor(connection)
                if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                    call_command("migrate", verbosity=0, interactive=False)
                call_command("load_recipes", stdout=self.stdout, verbosity=0)
            finally:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
