"""Draw the pages of docs/ that follow from the code."""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from config import openapi, reference, run_live
from config.local import BASE_DIR

_DOCS = BASE_DIR / "docs"


class Command(BaseCommand):
    """Writes the pages; with --check, only looks."""

    help = "Draw the pages of docs/ that follow from the code."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to write."""
        parser.add_argument("--check", action="store_true", help="fail when a page is stale, and write nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        """Raises CommandError, with --check, when a page is stale."""
        providers = _DOCS / "providers.md"
        pages = {
            _DOCS / "settings.md": reference.page(),
            _DOCS / "openapi.yaml": openapi.page(),
            providers: run_live.page(_read(providers)),
        }
        for path, drawn in pages.items():
            if not check:
                path.write_text(drawn, encoding="utf-8")
            elif _read(path) != drawn:
                raise CommandError(f"docs/{path.name} is stale: run ./dev docs.")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
