"""Draw the pages of docs/ that follow from the code."""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from config import reference
from config.local import BASE_DIR

_PAGE = BASE_DIR / "docs" / "settings.md"


class Command(BaseCommand):
    """Writes the pages; with --check, only looks."""

    help = "Draw the pages of docs/ that follow from the code."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to write."""
        parser.add_argument("--check", action="store_true", help="fail when a page is stale, and write nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Raises CommandError, with --check, when a page is stale."""
        if not check:
            _PAGE.write_text(reference.page(), encoding="utf-8")
        elif _read(_PAGE) != reference.page():
            raise CommandError("docs/settings.md is stale: run ./dev docs.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
