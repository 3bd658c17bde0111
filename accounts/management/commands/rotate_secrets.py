"""Encrypt every stored key again, with the newest of ZAP_SECRET_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.vault.cipher import VaultClosed, new_key
from accounts.vault.rotation import rotate_all


class Command(BaseCommand):
    """`manage.py rotate_secrets`."""

    help = "Encrypt every stored key again, with the first of ZAP_SECRET_KEYS. Safe to repeat, and on a running system."

    def add_arguments(self, parser: CommandParser) -> None:
        """Its arguments."""
        parser.add_argument(
            "--new-key", action="store_true", help="print a fresh key for ZAP_SECRET_KEYS and do no more"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError where something could not be read."""
        if options["new_key"]:
            self.stdout.write(new_key())
            return
        try:
            rotated = rotate_all()
        except VaultClosed as exc:
            raise CommandError(f"{exc.detail} {exc.remediation}") from exc
        self.stdout.write(f"{rotated.count} encrypted again.")
        if rotated.unreadable:
            whose = "\n".join(f"  {one}" for one in rotated.unreadable)
            raise CommandError(f"No key in ZAP_SECRET_KEYS reads these; they must be set again:\n{whose}")
